import { type Decision, isFolderRemoval, isRemoval } from '#core/plan/decision.ts';
import { SMALL } from '#sync/transfer/smallFile.ts';
import type { Moves } from './moves.ts';
import { depthOf, MAX_DEPTH, parentOf } from '#core/path/relative.ts';
import { contentBytes, type Incoming, isIncoming } from './download.ts';
import { isOutgoing, type Outgoing, outgoingBytes } from './upload.ts';

/** Limits of one change set, so that a first pass becomes visible in steps, none of which keeps the event loop for long. */
const MAX_CHANGE_SET_FILES = 700;
const MAX_CHANGE_SET_BYTES = 32 * 1024 * 1024;
/** Parallel change sets of small files, and parallel large files, in one directory. */
const MAX_BULK = 4;
const MAX_LARGE = 3;
/** The rank of what comes last: more than any depth. */
const LAST = 2 * MAX_DEPTH;

/** A change set of small files, one large file, or what has just changed while many others wait. */
export type JobSize = 'bulk' | 'large' | 'live';

export type Job =
  | { readonly kind: 'download'; readonly size: JobSize; readonly items: Map<string, Incoming> }
  | { readonly kind: 'upload'; readonly size: JobSize; readonly items: Map<string, Outgoing> };

export type ScheduleInput = {
  /** Actions that are due and not in progress. */
  readonly ready: ReadonlyMap<string, Decision>;
  /** The files of the whole plan that are to be renamed here, ready or not. */
  readonly moves: Moves;
  /** What has just changed. */
  readonly live: ReadonlySet<string>;
  readonly running: readonly Job[];
  /** The whole plan becomes visible together: what one Asterisk reload reads. */
  readonly wholeSets: boolean;
  /** Size from which a file is transferred alone, so that it delays nothing else, bytes. */
  readonly largeFrom: number;
  /** True when a folder exists on the side that the item goes to. */
  readonly folderIsThere: (folder: string, direction: 'download' | 'upload') => boolean;
};

/** Numbers of small files, from Main and to Main. */
export type Room = Readonly<Record<Job['kind'], number>>;

/**
 * How many small files may be started now, each way, beside the running jobs, and a change set more: whether they fit into
 * one decides how they are divided.
 */
export function roomBeside(running: readonly Job[]): Room {
  const roomFor = (kind: Job['kind']): number => {
    const sets = MAX_BULK - countOf(running, kind, 'bulk');
    return sets > 0 ? (sets + 1) * MAX_CHANGE_SET_FILES : 0;
  };
  return { download: roomFor('download'), upload: roomFor('upload') };
}

/** Which jobs to start now. Pure. */
export function schedule(input: ScheduleInput): Job[] {
  const downloads = new Map<string, Incoming>();
  const uploads = new Map<string, Outgoing>();
  for (const [path, decision] of input.ready) {
    if (isIncoming(decision)) downloads.set(path, decision);
    else if (isOutgoing(decision)) uploads.set(path, decision);
  }
  if (input.wholeSets) {
    if (input.running.length > 0 || downloads.size === 0) return [];
    return [{ kind: 'download', size: 'bulk', items: downloads }];
  }
  const jobs: Job[] = [];
  const contentToTravel = (item: Incoming, path: string): number => {
    const from = input.moves.from.get(path);
    return from !== undefined && downloads.has(from) ? 0 : contentBytes(item);
  };
  for (const items of split(downloads, contentToTravel, input, 'download'))
    jobs.push({ kind: 'download', ...items });
  for (const items of split(uploads, outgoingBytes, input, 'upload')) jobs.push({ kind: 'upload', ...items });
  return jobs;
}

function split<T extends Decision>(
  items: ReadonlyMap<string, T>,
  bytesOf: (item: T, path: string) => number,
  input: ScheduleInput,
  kind: Job['kind'],
): { size: JobSize; items: Map<string, T> }[] {
  let bulk = MAX_BULK - countOf(input.running, kind, 'bulk');
  let large = MAX_LARGE - countOf(input.running, kind, 'large');
  const sets: { size: JobSize; items: Map<string, T> }[] = [];
  let current = new Map<string, T>();
  let files = 0;
  let bytes = 0;
  const close = (): void => {
    if (current.size === 0) return;
    sets.push({ size: 'bulk', items: current });
    current = new Map();
    files = 0;
    bytes = 0;
    bulk -= 1;
  };
  const take = ({ path, item, size }: Sized<T>): void => {
    // A name that is removed by a rename goes with the new name.
    const to = input.moves.to.get(path);
    if (to !== undefined && items.has(to)) return;
    const parent = parentOf(path);
    const there = isRemoval(item) || isThere(input, parent, kind);
    if (size >= input.largeFrom) {
      if (!there || large <= 0) return;
      sets.push({ size: 'large', items: new Map([[path, item]]) });
      large -= 1;
      return;
    }
    if (bulk <= 0 || !(there || current.has(parent))) return;
    current.set(path, item);
    const from = input.moves.from.get(path);
    const partner = from === undefined ? undefined : items.get(from);
    if (from !== undefined && partner !== undefined) current.set(from, partner);
    files += 1;
    bytes += size;
    if (isFull(files, bytes)) close();
  };
  const ordered = inOrder(items, bytesOf);
  const areMany = !fitInOneSet(ordered, input.largeFrom);
  const ahead = areMany || bulk <= 0 ? liveAmong(ordered, input, kind) : new Map<string, T>();
  if (ahead.size > 0) sets.push({ size: 'live', items: ahead });
  // Several sets travel at a time, but not before the folders of their files are there.
  if (areMany) {
    for (const each of ordered) if (isNewFolder(each.item)) take(each);
    close();
  }
  for (const each of ordered) {
    if (bulk <= 0 && large <= 0) break;
    if (ahead.has(each.path) || (areMany && isNewFolder(each.item))) continue;
    take(each);
  }
  if (bulk > 0) close();
  return sets;
}

/**
 * The small files that have just changed, which go ahead of many others, one set at a time: a person waits for them, and a
 * first pass may take hours. Removals and renames wait for their turn, since they may depend on others.
 */
function liveAmong<T extends Decision>(
  ordered: readonly Sized<T>[],
  input: ScheduleInput,
  kind: Job['kind'],
): Map<string, T> {
  const ahead = new Map<string, T>();
  if (countOf(input.running, kind, 'live') > 0) return ahead;
  let bytes = 0;
  for (const { path, item, size } of ordered) {
    if (!input.live.has(path) || size >= input.largeFrom || !bringsFile(item)) continue;
    if (input.moves.from.has(path) || !isThere(input, parentOf(path), kind)) continue;
    ahead.set(path, item);
    bytes += size;
    if (isFull(ahead.size, bytes)) break;
  }
  return ahead;
}

function isFull(files: number, bytes: number): boolean {
  return files >= MAX_CHANGE_SET_FILES || bytes >= MAX_CHANGE_SET_BYTES;
}

function isThere({ folderIsThere }: ScheduleInput, folder: string, kind: Job['kind']): boolean {
  return folder === '' || folderIsThere(folder, kind);
}

function countOf(running: readonly Job[], kind: Job['kind'], size: Job['size']): number {
  return running.filter((job) => job.kind === kind && job.size === size).length;
}

type Sized<T> = { readonly path: string; readonly item: T; readonly size: number };

function fitInOneSet(ordered: readonly Sized<unknown>[], largeFrom: number): boolean {
  let bytes = 0;
  for (const { size } of ordered) {
    if (size >= largeFrom) return false;
    bytes += size;
  }
  return ordered.length <= MAX_CHANGE_SET_FILES && bytes <= MAX_CHANGE_SET_BYTES;
}

function isNewFolder(item: Decision): boolean {
  return brings(item) && item.entry.type === 'folder' && item.expect === undefined;
}

function bringsFile(item: Decision): boolean {
  return brings(item) && item.entry.type === 'file';
}

function brings(item: Decision): item is Decision & { kind: 'deliver' | 'upload' } {
  return item.kind === 'deliver' || item.kind === 'upload';
}

/**
 * Parents before children, small files before larger ones, and folders that are removed after all that may be in them. Those
 * that are packed whole stay as they are planned, folder by folder: in the order of their sizes, each of many sets would have
 * some in every folder, which would all be made durable and scanned again for each set, and rows all over the state.
 */
function inOrder<T extends Decision>(
  items: ReadonlyMap<string, T>,
  bytesOf: (item: T, path: string) => number,
): Sized<T>[] {
  const keyed = Array.from(items, ([path, item]) => ({
    path,
    item,
    rank: isFolderRemoval(item) ? LAST - depthOf(path) : depthOf(path),
    size: bytesOf(item, path),
  }));
  return keyed.sort((a, b) => a.rank - b.rank || Math.max(a.size, SMALL) - Math.max(b.size, SMALL));
}

/** Bytes of content that a decision transfers. */
export function bytesToTravel(decision: Decision): number {
  if (isIncoming(decision)) return contentBytes(decision);
  return isOutgoing(decision) ? outgoingBytes(decision) : 0;
}
