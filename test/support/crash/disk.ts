/** An inode's number in the model: it is never used twice, unlike the real one. */
export type Id = number;

/** A file, folder or link as a disk holds it. */
export type Inode = {
  readonly id: Id;
  readonly type: 'file' | 'folder' | 'link';
  mode: number;
  uid: number;
  gid: number;
  /** Nanoseconds since 1970. */
  mtime: bigint;
  content: Buffer;
  target: string;
  /** A folder's names. */
  readonly names: Map<string, Id>;
};

/** One change of a disk, with what it did to which inodes. All of it happens, or nothing. */
export type Operation =
  | { readonly kind: 'make'; readonly folder: Id; readonly name: string; readonly inode: Readonly<Inode> }
  | {
      readonly kind: 'write';
      readonly inode: Id;
      readonly at: number;
      readonly data: Buffer;
      readonly mtime: bigint;
    }
  | {
      readonly kind: 'dress';
      readonly inode: Id;
      readonly set: Partial<Pick<Inode, 'mode' | 'uid' | 'gid' | 'mtime'>>;
      /** For a link, which can't be made durable by itself: the folder that it lies in. */
      readonly within?: Id;
    }
  | { readonly kind: 'unname'; readonly folder: Id; readonly name: string; readonly inode: Id }
  | {
      readonly kind: 'rename';
      readonly mode: 'replace' | 'no-replace' | 'exchange';
      readonly from: Id;
      readonly name: string;
      readonly to: Id;
      readonly toName: string;
      readonly moved: Id;
      /** What stood at the new name. */
      readonly other?: Id;
    };

/** Inodes by id. Roots are folders without a name. */
export type Disk = Map<Id, Inode>;

export function copyOf(disk: Disk): Disk {
  return new Map([...disk].map(([id, inode]) => [id, { ...inode, names: new Map(inode.names) }]));
}

/**
 * How what is missing bears on what came after it:
 * - `steps`: as if the program had done only the operations that are there, one after the other;
 * - `effects`: each operation sets the names that it set in reality, as a file system does that logs names by inode.
 */
export type Replay = 'steps' | 'effects';

/** Carries out one operation. @returns false when it can't be done on this disk (what it needs is missing) */
export function carryOut(disk: Disk, operation: Operation, replay: Replay): boolean {
  switch (operation.kind) {
    case 'make': {
      const folder = disk.get(operation.folder);
      if (folder === undefined || folder.names.has(operation.name)) return false;
      disk.set(operation.inode.id, { ...operation.inode, names: new Map() });
      folder.names.set(operation.name, operation.inode.id);
      return true;
    }
    case 'write': {
      const inode = disk.get(operation.inode);
      if (inode === undefined) return false;
      const end = operation.at + operation.data.length;
      const content = Buffer.alloc(Math.max(end, inode.content.length));
      inode.content.copy(content);
      operation.data.copy(content, operation.at);
      inode.content = content;
      inode.mtime = operation.mtime;
      return true;
    }
    case 'dress': {
      const inode = disk.get(operation.inode);
      if (inode !== undefined) Object.assign(inode, operation.set);
      return inode !== undefined;
    }
    case 'unname': {
      const folder = disk.get(operation.folder);
      const there = folder?.names.get(operation.name);
      if (folder === undefined || there === undefined) return false;
      if (replay === 'effects' && there !== operation.inode) return false;
      if ((disk.get(there)?.names.size ?? 0) > 0) return false;
      folder.names.delete(operation.name);
      return true;
    }
    case 'rename':
      return replay === 'steps' ? renameAgain(disk, operation) : setNames(disk, operation);
  }
}

type Rename = Extract<Operation, { kind: 'rename' }>;

function renameAgain(disk: Disk, { from, name, to, toName, mode }: Rename): boolean {
  const source = disk.get(from);
  const target = disk.get(to);
  const moved = source?.names.get(name);
  if (source === undefined || target === undefined || moved === undefined) return false;
  const other = target.names.get(toName);
  if (mode === 'no-replace' && other !== undefined) return false;
  if (mode === 'exchange') {
    if (other === undefined) return false;
    source.names.set(name, other);
  } else source.names.delete(name);
  target.names.set(toName, moved);
  return true;
}

function setNames(disk: Disk, { from, name, to, toName, mode, moved, other }: Rename): boolean {
  const source = disk.get(from);
  const target = disk.get(to);
  if (source === undefined || target === undefined || !disk.has(moved)) return false;
  if (mode === 'exchange' && other !== undefined && disk.has(other)) source.names.set(name, other);
  else if (source.names.get(name) === moved) source.names.delete(name);
  target.names.set(toName, moved);
  return true;
}

/** Inodes whose ctime an operation sets. */
export function touchedBy(operation: Operation): readonly Id[] {
  switch (operation.kind) {
    case 'make':
      return [operation.inode.id];
    case 'write':
    case 'dress':
    case 'unname':
      return [operation.inode];
    case 'rename':
      return operation.other === undefined ? [operation.moved] : [operation.moved, operation.other];
  }
}

/** Whether fsync(2) of an inode makes an operation durable. */
export function isMadeDurableBy(operation: Operation, synced: Id): boolean {
  switch (operation.kind) {
    case 'make':
    case 'unname':
      return operation.folder === synced;
    case 'write':
      return operation.inode === synced;
    case 'dress':
      return operation.inode === synced || operation.within === synced;
    case 'rename':
      return operation.from === synced || operation.to === synced;
  }
}
