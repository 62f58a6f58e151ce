import { errnoOf, isMissing, lacksHandles } from '#host/fs/errno.ts';
import type { Folder } from '#host/fs/folder.ts';
import type { Listing } from '#host/fs/listing/listing.ts';
import type { OpenFolders } from '#host/fs/openFolders.ts';
import type { Owners } from '#host/fs/owners.ts';
import type { ObjectStat } from '#host/fs/listing/objectStat.ts';
import { TimeSlice } from '#host/time/timeSlice.ts';
import type { PathState } from '#core/manifest/pathState.ts';
import { type Stamp, stampOf } from '#core/manifest/stamp.ts';
import { OVERRIDE_PREFIX, RESERVED_NAME } from '#core/path/names.ts';
import { isNested } from '#core/path/nesting.ts';
import { baseOf, depthOf, isBelow, isOverride, MAX_DEPTH, parentOf } from '#core/path/relative.ts';
import type { FolderWatches } from '../watch/folderWatches.ts';
import type { ChangeFeed } from './changeFeed.ts';
import type { ContentReader } from './content/contentReader.ts';
import { FolderScan } from './folders/folderScan.ts';
import { inspect } from './inspect.ts';
import { cameComplete } from './renames/arrival.ts';
import { isAsKnown, isAwaited, isStillGone } from './presence.ts';
import { type IndexedPath, lastKnownEntry } from './pathIndex.ts';
import type { OwnPlacements } from './ownPlacements.ts';
import { Renames } from './renames/renames.ts';
import type { RootGuard } from './rootGuard.ts';
import type { ScannedPaths } from './scannedPaths.ts';
import type { SettleQueue } from './settleQueue.ts';

export type ScannerOptions = {
  /** Relative paths of the synchronised directories inside this one. */
  readonly nested: ReadonlySet<string>;
  readonly owners: Owners;
  readonly paths: ScannedPaths;
  readonly queue: SettleQueue;
  readonly guard: RootGuard;
  readonly own: OwnPlacements;
  readonly contents: ContentReader;
  readonly feed: Pick<ChangeFeed, 'whole' | 'read' | 'folderRenamed'>;
};

/** Why a scan is incomplete: the directory is being closed. */
export class ScanEnded extends Error {}

/** A name that is looked at in its folder. */
type Named = {
  readonly open: OpenFolders;
  readonly handle: Folder;
  readonly name: string;
  readonly path: string;
  /** Its stamp, when it is a file that had another name and is otherwise as it was. */
  readonly renamed?: Stamp | undefined;
};

const TOO_DEEP: PathState = { kind: 'special', what: `a folder with ${MAX_DEPTH - 1} above it, the maximum` };

/** Scans one directory: folder listings, single names, and the content of files that have settled. */
export class Scanner {
  readonly #options: ScannerOptions;
  readonly #paths: ScannedPaths;
  readonly #queue: SettleQueue;
  readonly #watches: FolderWatches;
  readonly #folders: FolderScan;
  readonly #renames: Renames;
  readonly #end = new AbortController();

  constructor(options: ScannerOptions, watches: FolderWatches) {
    this.#options = options;
    this.#paths = options.paths;
    this.#queue = options.queue;
    this.#watches = watches;
    this.#renames = new Renames(options.paths, options.guard, options.feed);
    this.#folders = new FolderScan({
      paths: options.paths,
      isAwaited: (path, found) => isAwaited(options.queue, options.paths.index, path, found),
      vanish: (path) => this.#vanish(path),
    });
  }

  get hasEnded(): boolean {
    return this.#end.signal.aborted;
  }

  /** Ends a scan that is in progress, which throws {@link ScanEnded}, and every later one. Single names are still read. */
  end(): void {
    this.#end.abort(new ScanEnded('the directory is being closed'));
  }

  /** Scans everything; files with an unchanged stamp are not read. */
  async readAll(open: OpenFolders): Promise<void> {
    this.#watches.scanBegins();
    await this.#readFolder(open, '', true);
    this.#watches.scanEnds();
  }

  /** Scans folders, without descending into known ones. */
  async readFolders(open: OpenFolders, folders: readonly string[]): Promise<void> {
    for (const folder of folders) if (!this.#isForeign(folder)) await this.#readFolder(open, folder, false);
  }

  async readNames(open: OpenFolders, paths: readonly string[]): Promise<void> {
    const slice = new TimeSlice();
    const newFolders: string[] = [];
    for (const path of paths) {
      this.#readName(open, path, newFolders);
      if (slice.due) await slice.pause();
    }
    for (const folder of newFolders) await this.#readFolder(open, folder, true);
  }

  /** Reads files that have settled, and drops paths that stayed away. */
  async settle(open: OpenFolders, due: readonly string[]): Promise<void> {
    if (due.length === 0) return;
    const slice = this.#slice();
    const removed: string[] = [];
    const newFolders: string[] = [];
    for (const path of due) {
      if (!this.#paths.isGone(path)) await this.#settleFile(open, path, newFolders);
      else if (isStillGone(open, path)) removed.push(path);
      else this.#readName(open, path, newFolders);
      if (slice.due) await slice.pause();
    }
    if (removed.length > 0 && this.#options.guard.allowsRemovals())
      for (const path of removed) this.#paths.drop(path);
    for (const folder of newFolders) await this.#readFolder(open, folder, true);
  }

  /** Drops every path that is gone, without waiting any longer. */
  settleGone(open: OpenFolders): Promise<void> {
    const gone = [...this.#paths.index.paths()].filter((path) => this.#paths.isGone(path));
    return this.settle(open, gone);
  }

  async #readFolder(open: OpenFolders, folder: string, deep: boolean): Promise<void> {
    const slice = this.#slice();
    const queue = [folder];
    if (folder === '') this.#options.owners.refresh();
    for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
      const handle = this.#openFolder(open, at);
      if (handle === undefined) continue;
      this.#watches.watch(at, handle);
      const listing = this.#listingOf(handle, at);
      if (listing === undefined) continue;
      const inspect = (name: string, path: string, renamed: Stamp | undefined): void =>
        this.#takeName({ open, handle: open.get(at), name, path, renamed }, deep, queue);
      const inspected = (): void => this.#renames.rest();
      await this.#folders.read({ path: at, listing, handle: () => open.get(at), inspect, inspected }, slice);
    }
  }

  /** A scan of a large directory takes a while, and a stop does not wait for it. */
  #slice(): TimeSlice {
    return new TimeSlice(this.#end.signal);
  }

  /** @returns undefined when a subfolder can't be listed; only that one keeps its known state */
  #listingOf(handle: Folder, folder: string): Listing | undefined {
    try {
      return handle.listing();
    } catch (error) {
      if (folder === '') throw error;
      this.#paths.putUnreadable(folder, errnoOf(error));
      return undefined;
    }
  }

  #openFolder(open: OpenFolders, folder: string): Folder | undefined {
    try {
      return open.get(folder);
    } catch (error) {
      // The whole directory is scanned again soon.
      if (lacksHandles(error)) throw error;
      // It vanished, or is not a folder any more: the listing of its parent shows that.
      if (!isMissing(error)) this.#paths.putUnreadable(folder, errnoOf(error));
      return undefined;
    }
  }

  /** Ignores hints about overrides and nested synchronised directories. */
  #isForeign(folder: string): boolean {
    const isPrivate = folder === RESERVED_NAME || isBelow(folder, RESERVED_NAME);
    return isPrivate || isOverride(folder) || isNested(this.#options.nested, folder);
  }

  #readName(open: OpenFolders, path: string, newFolders: string[]): void {
    const name = baseOf(path);
    if (this.#isForeign(parentOf(path))) return;
    if (name.startsWith(OVERRIDE_PREFIX)) {
      // Only the listing of its folder shows cheaply whether it came or went.
      newFolders.push(parentOf(path));
      return;
    }
    const handle = this.#openFolder(open, parentOf(path));
    if (handle !== undefined) this.#inspectName({ open, handle, name, path }, false, newFolders);
    // Its watch goes on under the old name when the folder was renamed and that event was lost.
    else if (this.#watches.has(parentOf(path))) this.#readName(open, parentOf(path), newFolders);
  }

  #vanish(path: string): void {
    this.#options.own.vanished(path);
    this.#watches.forget(path);
    this.#paths.vanish(path);
    this.#paths.dropExcluded(path);
  }

  /** Inspects a name, which may be gone. Folders that have to be scanned are added to `queue`. */
  #inspectName(named: Named, deep: boolean, queue: string[]): void {
    const { handle, name, path } = named;
    if (!isAsKnown(this.#paths.index, handle, name, path)) this.#takeName(named, deep, queue);
  }

  /** The same for a name that is not as it is known. */
  #takeName(named: Named, deep: boolean, queue: string[]): void {
    const { open, handle, name, path, renamed } = named;
    if (this.#options.nested.has(path) || path === RESERVED_NAME) return;
    try {
      if (renamed !== undefined && this.#renames.takeUnseen(open, path, renamed))
        return this.#watches.forget(path);
      const stat = handle.stat(name);
      if (stat === undefined) this.#vanish(path);
      else if (this.#paths.takeExcluded(path, stat.isDirectory())) return;
      else if (stat.isFile()) this.#takeFile(named, stat);
      else this.#takeOther(named, stat, deep, queue);
    } catch (error) {
      this.#paths.putUnreadable(path, errnoOf(error));
    }
  }

  #takeFile({ open, handle, name, path }: Named, stat: ObjectStat): void {
    const stamp = stampOf(stat);
    if (this.#options.own.has(path, stamp)) return;
    const node = this.#paths.index.get(path);
    if (node?.stamp === stamp && node.state.kind !== 'unreadable') {
      if (node.state.kind === 'moving' && !this.#queue.has(path))
        this.#queue.wait(path, this.#queue.restOfSettle(stat));
      return;
    }
    this.#watches.forget(path);
    this.#paths.dropBelow(path);
    if (this.#renames.takeUntouched(open, path, stamp)) return this.#queue.delete(path);
    this.#paths.putMoving(path, stamp);
    const rest = this.#queue.restOfSettle(stat);
    const needsNone = rest > 0 && !this.#options.feed.whole && cameComplete(handle, name, stat, node?.stamp);
    this.#queue.wait(path, needsNone ? 0 : rest);
    const expected = { in: rest, before: hashBefore(node), signal: this.#end.signal };
    if (!needsNone) this.#options.contents.expect(handle, name, stat, expected);
  }

  /** A folder, a link or something special: there is no content to wait for. */
  #takeOther(named: Named, stat: ObjectStat, deep: boolean, queue: string[]): void {
    const { handle, name, path } = named;
    const seen = inspect(handle, name, path, stat, this.#options.owners);
    if (seen.kind === 'file') return this.#takeFile(named, stat);
    this.#queue.delete(path);
    const state: PathState =
      seen.kind === 'special' ? { kind: 'special', what: seen.what } : { kind: 'settled', entry: seen.entry };
    this.#paths.dropBelowUnlessFolder(path, state);
    const before = this.#paths.index.stateOf(path);
    const wasFolder =
      before?.kind === 'settled' && before.entry.type === 'folder' && !this.#paths.isGone(path);
    this.#paths.put(path, state, seen.kind === 'folder' ? '' : stampOf(stat));
    if (seen.kind !== 'folder') return this.#watches.forget(path);
    // The one that was known may have been replaced by another.
    if (!deep && wasFolder && this.#watches.covers(path, stat)) return;
    if (depthOf(path) < MAX_DEPTH) queue.push(path);
    else this.#paths.put(path, TOO_DEEP, '');
  }

  async #settleFile(open: OpenFolders, path: string, newFolders: string[]): Promise<void> {
    const node = this.#paths.index.get(path);
    const handle = this.#openFolder(open, parentOf(path));
    if (node === undefined || handle === undefined) return;
    const name = baseOf(path);
    try {
      const stat = handle.stat(name);
      if (stat === undefined) return this.#vanish(path);
      const stamp = stampOf(stat);
      if (stamp !== node.stamp || !stat.isFile())
        return this.#inspectName({ open, handle, name, path }, false, newFolders);
      const carried = this.#paths.departed.hashOf(handle, name, stamp);
      const how = { before: hashBefore(node), signal: this.#end.signal };
      const hash = carried ?? (await this.#options.contents.hash(handle, name, stamp, how));
      // This program may have placed another object there while the file was read.
      if (this.#paths.index.get(path)?.stamp !== stamp) return;
      if (hash === undefined) return this.#paths.waitAgain(path);
      const seen = inspect(handle, name, path, stat, this.#options.owners);
      if (seen.kind === 'file')
        this.#paths.put(path, { kind: 'settled', entry: { ...seen.entry, hash } }, stamp);
      if (carried !== undefined) this.#renames.settled(open, stamp);
      else this.#options.feed.read(Number(stat.size));
    } catch (error) {
      this.#end.signal.throwIfAborted();
      this.#paths.putUnreadable(path, errnoOf(error));
    }
  }
}

/** A large file that has changed once is likely to change again, and is on the other side in its earlier version. */
function hashBefore(node: IndexedPath | undefined): string | undefined {
  const last = lastKnownEntry(node?.state);
  return last?.type === 'file' ? last.hash : undefined;
}
