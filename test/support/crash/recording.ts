import type { BigIntStats } from 'node:fs';
import { stampOf } from '#core/manifest/stamp.ts';
import { carryOut, copyOf, type Disk, type Id, type Inode, type Operation, touchedBy } from './disk.ts';

/** Something that happened, in the order in which it happened. */
export type Event =
  | { readonly kind: 'operation'; readonly host: string; readonly operation: Operation }
  /** Everything that happened to the inode before the event number `upTo` is durable from here on. */
  | { readonly kind: 'sync'; readonly host: string; readonly inode: Id; readonly upTo: number }
  /** The same for all inodes. */
  | { readonly kind: 'sync-all'; readonly upTo: number }
  /** A transaction of a host's database was committed: what the database holds now. */
  | { readonly kind: 'commit'; readonly host: string; readonly image: Uint8Array }
  /** Main has confirmed this content to an MDS. */
  | { readonly kind: 'mark'; readonly path: string; readonly hash: string };

/** What the real disk said of an inode after so many operations had touched it. */
export type Stamped = { readonly touches: number; readonly stamp: string };

/** What happens to the folders of several hosts, as a model of their disks. */
export class Recording {
  readonly events: Event[] = [];
  /** Events before this number tell how things were when the recording began. */
  firstEvent = 0;
  /** The disks when the recording began. */
  readonly before: Disk;
  /** A host's root folders by their path when the recording began. */
  readonly roots: ReadonlyMap<string, Id>;
  readonly hostOf = new Map<Id, string>();
  readonly stamps = new Map<Id, Stamped[]>();
  /** The real inode number of everything there ever was. */
  readonly realInode = new Map<Id, string>();
  /** The disks as they are now. */
  readonly now: Disk;
  readonly #touches = new Map<Id, number>();
  /** Ids of what exists now, by real device and inode. */
  readonly #ids = new Map<string, Id>();
  #nextId = 1;

  /** @param start reads a folder and all that is in it into `note` */
  constructor(hosts: ReadonlyMap<string, readonly string[]>, read: (path: string, into: Recording) => Id) {
    this.now = new Map();
    this.before = new Map();
    const roots = new Map<string, Id>();
    for (const [host, paths] of hosts) {
      for (const path of paths) {
        const root = read(path, this);
        roots.set(path, root);
        for (const id of this.now.keys()) if (!this.hostOf.has(id)) this.hostOf.set(id, host);
      }
    }
    this.roots = roots;
    this.before = copyOf(this.now);
  }

  /** Notes something that was there before. */
  note(stat: BigIntStats, rest: { content?: Buffer; target?: string }): Inode {
    const inode = this.#newInode(stat, rest);
    this.now.set(inode.id, inode);
    this.#stamp(inode.id, stat);
    return inode;
  }

  idOf(stat: BigIntStats): Id | undefined {
    return this.#ids.get(keyOf(stat));
  }

  /** Notes what was made at a name. */
  made(folder: Id, name: string, stat: BigIntStats, target = ''): void {
    const inode = this.#newInode(stat, { target });
    const host = this.hostOf.get(folder);
    if (host !== undefined) this.hostOf.set(inode.id, host);
    this.did({ kind: 'make', folder, name, inode: { ...inode, names: new Map() } }, [stat]);
  }

  /** @param stats what the real disk says now of the inodes that it touched */
  did(operation: Operation, stats: readonly BigIntStats[]): void {
    const first = touchedBy(operation)[0];
    const host = first === undefined ? undefined : this.hostOf.get(first);
    if (host === undefined) throw new Error('an operation on a disk that is not recorded');
    if (!carryOut(this.now, operation, 'steps')) throw new Error(`not so in the model: ${operation.kind}`);
    this.events.push({ kind: 'operation', host, operation });
    for (const id of touchedBy(operation)) this.#touches.set(id, (this.#touches.get(id) ?? 0) + 1);
    for (const stat of stats) {
      const id = this.idOf(stat);
      if (id !== undefined) this.#stamp(id, stat);
    }
    if (operation.kind === 'unname') this.#forget(operation.inode);
  }

  synced(inode: Id, upTo: number): void {
    this.events.push({ kind: 'sync', host: this.hostOf.get(inode) ?? '', inode, upTo });
  }

  syncedAll(upTo: number): void {
    this.events.push({ kind: 'sync-all', upTo });
  }

  committed(host: string, image: Uint8Array): void {
    this.events.push({ kind: 'commit', host, image });
  }

  took(path: string, hash: string): void {
    this.events.push({ kind: 'mark', path, hash });
  }

  #newInode(
    stat: BigIntStats,
    { content = Buffer.alloc(0), target = '' }: { content?: Buffer; target?: string },
  ): Inode {
    const id = this.#nextId++;
    this.#ids.set(keyOf(stat), id);
    this.realInode.set(id, String(stat.ino));
    const type = stat.isDirectory() ? 'folder' : stat.isSymbolicLink() ? 'link' : 'file';
    return {
      id,
      type,
      mode: Number(stat.mode & 0o7777n),
      uid: Number(stat.uid),
      gid: Number(stat.gid),
      mtime: stat.mtimeNs,
      content,
      target,
      names: new Map(),
    };
  }

  /** A number that is free again may be given to something else. */
  #forget(id: Id): void {
    for (const [key, known] of this.#ids) if (known === id) this.#ids.delete(key);
  }

  #stamp(id: Id, stat: BigIntStats): void {
    const known = this.stamps.get(id) ?? [];
    known.push({ touches: this.#touches.get(id) ?? 0, stamp: stat.isDirectory() ? '' : stampOf(stat) });
    this.stamps.set(id, known);
  }
}

function keyOf(stat: BigIntStats): string {
  return `${stat.dev}:${stat.ino}`;
}
