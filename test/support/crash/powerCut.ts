import {
  carryOut,
  copyOf,
  type Disk,
  type Id,
  isMadeDurableBy,
  type Operation,
  type Replay,
  touchedBy,
} from './disk.ts';
import type { Recording } from './recording.ts';

/** One way in which a host's power may fail. */
export type PowerCut = {
  readonly host: string;
  /** Events before this number happened. */
  readonly at: number;
  /** Operations, by their event numbers, that had not reached the disk. */
  readonly missing: ReadonlySet<number>;
  /** Writes of which only the first half had reached the disk. */
  readonly torn: ReadonlySet<number>;
  readonly replay: Replay;
};

/** Operations of a host before an event that nothing has made durable yet, by their event numbers. */
export function pendingAt(recording: Recording, host: string, at: number): number[] {
  const durable = new Set<number>();
  const operations = new Map<number, Operation>();
  for (const [number, event] of recording.events.slice(0, at).entries()) {
    if (event.kind === 'operation' && event.host === host) operations.set(number, event.operation);
    if (event.kind !== 'sync' && event.kind !== 'sync-all') continue;
    for (const [earlier, operation] of operations) {
      if (earlier >= event.upTo) break;
      if (event.kind === 'sync-all' || isMadeDurableBy(operation, event.inode)) durable.add(earlier);
    }
  }
  // A name that is durable has something to name.
  const named = new Set<Id>();
  for (const [number, operation] of operations)
    if (durable.has(number) && operation.kind === 'rename')
      for (const id of touchedBy(operation)) named.add(id);
  // And a folder that is durably gone is durably empty.
  for (const [number, operation] of operations) {
    if (!durable.has(number) || operation.kind !== 'unname') continue;
    for (const [earlier, inside] of operations)
      if (earlier < number && isMadeDurableBy(inside, operation.inode)) durable.add(earlier);
  }
  return [...operations]
    .filter(
      ([number, operation]) =>
        !durable.has(number) && !(operation.kind === 'make' && named.has(operation.inode.id)),
    )
    .map(([number]) => number);
}

/** Whether what is missing is all that came last, as on a file system whose journal keeps the order of operations. */
export function isInOrder(recording: Recording, { host, at, missing, torn }: PowerCut): boolean {
  const first = Math.min(...missing);
  const isThere = (number: number): boolean => number > first && !missing.has(number);
  return (
    torn.size === 0 &&
    !recording.events
      .slice(0, at)
      .some((event, number) => event.kind === 'operation' && event.host === host && isThere(number))
  );
}

export type AfterCut = {
  readonly disk: Disk;
  /** How many operations touched each inode, for those on which each that happened before another is there, too. */
  readonly touches: ReadonlyMap<Id, number>;
};

/** Something is there without what came before it: the inode is as it never was. */
const UNLIKE = -1;

/** The disks of all hosts after a cut; those of the hosts that kept their power hold everything. */
export function diskAfter(recording: Recording, cut: PowerCut): AfterCut {
  const disk = copyOf(recording.before);
  const touches = new Map<Id, number>();
  const broken = new Set<Id>();
  if (cut.replay === 'effects') makeNameless(recording, cut, disk);
  for (const [number, event] of recording.events.slice(0, cut.at).entries()) {
    if (event.kind !== 'operation') continue;
    const isThere = !cut.missing.has(number);
    const { operation } = event;
    const done = isThere && carryOut(disk, cut.torn.has(number) ? halfOf(operation) : operation, cut.replay);
    for (const id of touchedBy(operation)) {
      if (cut.torn.has(number)) touches.set(id, UNLIKE);
      if (!done) broken.add(id);
      else if (broken.has(id)) touches.set(id, UNLIKE);
      else if (touches.get(id) !== UNLIKE) touches.set(id, (touches.get(id) ?? 0) + 1);
    }
  }
  return { disk, touches };
}

/** An inode may have reached the disk before its first name did. */
function makeNameless(recording: Recording, cut: PowerCut, disk: Disk): void {
  for (const event of recording.events.slice(0, cut.at)) {
    if (event.kind !== 'operation' || event.operation.kind !== 'make') continue;
    const { inode } = event.operation;
    disk.set(inode.id, { ...inode, names: new Map() });
  }
}

function halfOf(operation: Operation): Operation {
  if (operation.kind !== 'write') return operation;
  return { ...operation, data: operation.data.subarray(0, operation.data.length >> 1) };
}

/** Tells cuts apart that leave different disks or databases. */
export function keyOf(recording: Recording, cut: PowerCut, { disk, touches }: AfterCut): string {
  const lines: string[] = [];
  const walk = (id: Id, path: string): void => {
    const inode = disk.get(id);
    if (inode === undefined) return;
    const { type, mode, uid, gid, mtime, content, target } = inode;
    const text = [path, id, type, mode, uid, gid, mtime, content.length, target, touches.get(id) ?? 0].join(
      ' ',
    );
    lines.push(`${text} ${content.toString('base64')}`);
    for (const [name, inner] of [...inode.names].sort(([a], [b]) => (a < b ? -1 : 1)))
      walk(inner, `${path}/${name}`);
  };
  for (const [path, id] of recording.roots) walk(id, path);
  const commits = recording.events.slice(0, cut.at).filter(({ kind }) => kind === 'commit').length;
  return `${commits}\n${lines.join('\n')}`;
}

/** The image of a host's database that its last transaction before the cut left. */
export function imageAt(recording: Recording, host: string, at: number): Uint8Array | undefined {
  const commits = recording.events
    .slice(0, at)
    .flatMap((event) => (event.kind === 'commit' && event.host === host ? [event.image] : []));
  return commits.at(-1);
}
