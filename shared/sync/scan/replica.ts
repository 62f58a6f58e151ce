import type { OpenFolders } from '#host/fs/openFolders.ts';
import type { Owners } from '#host/fs/owners.ts';
import { errnoOf } from '#host/fs/errno.ts';
import { withRemedy } from '#host/fs/remedy.ts';
import { type Clock, pause } from '#host/time/clock.ts';
import { type Entry, sameEntry } from '#core/manifest/entry.ts';
import { entryOf, type PathState } from '#core/manifest/pathState.ts';
import type { Stamp } from '#core/manifest/stamp.ts';
import { joinPath } from '#core/path/relative.ts';
import type { Tree } from '#core/plan/tree.ts';
import { ChunkLists } from '../transfer/chunkLists.ts';
import type { ScanIndex } from '../state/scanIndex.ts';
import { StateError } from '../state/stateError.ts';
import { ChangeFeed } from './changeFeed.ts';
import type { Changes, PathIndex } from './pathIndex.ts';
import { OwnPlacements } from './ownPlacements.ts';
import { RootGuard } from './rootGuard.ts';
import { ScannedPaths } from './scannedPaths.ts';
import { ScanEnded, Scanner } from './scanner.ts';
import { SettleQueue } from './settleQueue.ts';

/** Interval at which a wait for quiet is checked, milliseconds. */
const LOOK_EVERY = 20;
/** Delay before an unreadable directory (missing, or no file handles left) is scanned again, milliseconds. */
const UNREAD_RETRY = 3_000;

export type ReplicaOptions = {
  readonly name: string;
  /** Absolute path of the synchronised directory on this host. */
  readonly path: string;
  /** Relative paths of the synchronised directories inside this one. */
  readonly nested: ReadonlySet<string>;
  /** How long a file must have been quiet, milliseconds. */
  readonly settle: number;
  /** True when an empty directory is suspicious, because its emptiness would remove files elsewhere. */
  readonly emptyIsHeld: boolean;
  /** True when the files belong together: changes of the same moment are reported once all of them have settled. */
  readonly whole: boolean;
  /** True for an excluded name, which this host ignores unless it is known already; none when absent. */
  readonly isExcluded?: (path: string, isFolder: boolean) => boolean;
  readonly index: ScanIndex;
  readonly owners: Owners;
  readonly clock: Clock;
  readonly onChanges: (changes: Changes) => void;
  /** Called when the directory becomes held or unreadable, and when that ends. */
  readonly onHeld: () => void;
  readonly onError: (error: unknown) => void;
};

/**
 * The picture of one synchronised directory on one host, kept up to date while the disk changes. Hints (a folder, or a
 * name in it, may have changed) cause a scan; a file counts once it has settled.
 */
export class Replica implements Tree {
  readonly name: string;
  readonly path: string;
  /** Why the last scan of the whole directory failed. Errors of the state are not reported here. */
  trouble: string | undefined;
  readonly #options: ReplicaOptions;
  readonly #queue: SettleQueue;
  readonly #paths: ScannedPaths;
  readonly #guard: RootGuard;
  readonly #scanner: Scanner;
  readonly #feed: ChangeFeed;
  /** Of large files that changed. */
  readonly chunkLists = new ChunkLists();
  readonly own = new OwnPlacements((paths) => this.#soon((open) => this.#scanner.readNames(open, paths)));
  /** The last reported error, which is not reported twice. */
  #lastReported: string | undefined;
  #cancelSettling: () => void = () => undefined;
  #work: Promise<void> = Promise.resolve();
  /** A hint was lost because the directory could not be read: the next scan is a full one. */
  #isUnread = false;
  readonly #end = new AbortController();

  constructor(options: ReplicaOptions) {
    this.#options = options;
    const { name, path, nested, settle, emptyIsHeld, whole, index, owners, clock, onChanges } = options;
    this.name = name;
    this.path = path;
    const queue = new SettleQueue(clock, settle);
    const paths = new ScannedPaths(queue, index, options.isExcluded ?? (() => false));
    const guard = new RootGuard(path, index, paths, emptyIsHeld);
    const retry = (): void => this.#soon(() => Promise.resolve());
    this.#queue = queue;
    this.#paths = paths;
    this.#guard = guard;
    this.#feed = new ChangeFeed({ paths, index, whole, clock, onChanges, retry });
    const { own, chunkLists } = this;
    this.#scanner = new Scanner({ nested, owners, paths, queue, guard, own, chunkLists, whole });
  }

  get #index(): PathIndex {
    return this.#paths.index;
  }

  /** Aborted when it is closed, so that all waits on it end. */
  get signal(): AbortSignal {
    return this.#end.signal;
  }

  get #closed(): boolean {
    return this.#end.signal.aborted;
  }

  get held(): string | undefined {
    return this.#guard.held;
  }

  get files(): number {
    return this.#index.files;
  }

  get bytes(): number {
    return this.#index.bytes;
  }

  get digest(): string {
    return this.#index.digest;
  }

  get(path: string): PathState | undefined {
    const state = this.#index.get(path)?.state;
    if (state !== undefined) return state;
    const errno = this.#paths.unreadableAbove(path);
    return errno === undefined ? undefined : { kind: 'unreadable', errno };
  }

  /** The stamp under which a path was read. */
  stampAt(path: string): Stamp | undefined {
    return this.#index.get(path)?.stamp;
  }

  /**
   * The stamp under which exactly this entry was read; undefined when the path holds something else by now. A change set
   * made for the entry must not touch what came after it.
   */
  stampOf(path: string, entry: Entry): Stamp | undefined {
    const known = this.#index.get(path);
    const here = entryOf(known?.state);
    return here !== undefined && sameEntry(here, entry) ? known?.stamp : undefined;
  }

  /** The same for an object that does not travel. */
  stampOfSpecial(path: string): Stamp | undefined {
    const known = this.#index.get(path);
    return known?.state.kind === 'special' ? known.stamp : undefined;
  }

  paths(): Iterable<string> {
    return this.#index.paths();
  }

  /** Existing paths that do not travel, with the reason. */
  get skipped(): ReadonlyMap<string, string> {
    return this.#paths.skipped;
  }

  *childrenOf(folder: string): Iterable<string> {
    for (const name of this.#index.namesIn(folder)) yield joinPath(folder, name);
  }

  holdsOverride(folder: string): boolean {
    return this.#paths.holdsOverride(folder);
  }

  /** The excluded files (not folders) directly in a folder. */
  excludedFilesIn(folder: string): string[] {
    return this.#paths.excludedFilesIn(folder);
  }

  /** Paths that are being written or removed right now. */
  get movingPaths(): string[] {
    return [...this.#queue.paths()];
  }

  /** Every folder in it, the directory itself first. */
  folders(): Iterable<string> {
    return this.#paths.folders();
  }

  /** Scans the whole directory; files with an unchanged stamp are not read. */
  rescan(): Promise<void> {
    this.own.scanBegins();
    return this.#exclusive((open) => this.#scanner.readAll(open));
  }

  /** Scans folders, without descending into known ones. */
  rescanFolders(folders: readonly string[]): Promise<void> {
    return this.#exclusive((open) => this.#scanner.readFolders(open, folders));
  }

  /** Scans single names. */
  recheck(paths: readonly string[]): Promise<void> {
    return this.#exclusive((open) => this.#scanner.readNames(open, paths));
  }

  /**
   * Waits until every path has settled, at most `limit` milliseconds.
   * @returns the paths that have not settled
   */
  async whenQuiet(limit: number): Promise<string[]> {
    const { clock } = this.#options;
    const deadline = clock.monotonic() + limit;
    for (;;) {
      await this.#work;
      if (!this.#queue.isAnyDueBefore(deadline) || this.#closed || clock.monotonic() > deadline)
        return this.movingPaths;
      await pause(clock, LOOK_EVERY, this.signal);
    }
  }

  /**
   * Enters an object that this program has placed at a path; undefined for a removal. It was made durable meanwhile, and
   * what another program did to the path in that time has been read already or is waiting to be: that is newer, and stays.
   * @param expect the stamp of what was replaced; undefined when nothing was there
   */
  adopt(
    path: string,
    placed: { state: PathState; stamp: Stamp } | undefined,
    expect: Stamp | undefined,
  ): void {
    this.own.adopted(path);
    if (this.#paths.hasChangedSince(path, expect, placed?.stamp)) {
      this.#soon((open) => this.#scanner.readNames(open, [path]));
      return;
    }
    this.#queue.delete(path);
    if (placed === undefined) {
      this.#paths.dropBelow(path);
      this.#paths.drop(path);
    } else if (!this.#paths.takeExcluded(path, entryOf(placed.state)?.type === 'folder')) {
      this.#paths.dropBelowUnlessFolder(path, placed.state);
      this.#paths.put(path, placed.state, placed.stamp);
    }
  }

  /** Discards the remembered content of these files, so that they are read again even with an unchanged stamp. */
  distrust(paths: Iterable<string>): void {
    const distrusted = [...paths];
    for (const path of distrusted) this.#paths.putMoving(path, '');
    this.#soon((open) => this.#scanner.readNames(open, distrusted));
  }

  /**
   * Hands the pending changes to `onChanges` and saves the scan index.
   * @throws what `onChanges` or the state throws; both are retried later
   */
  flush(): void {
    this.#feed.flush();
  }

  /** Confirms the directory as it is now, for a person. @throws Node's fs error when it can't be opened */
  confirm(): Promise<void> {
    return this.#guard.confirm(async () => {
      await this.rescan();
      await this.#exclusive((open) => this.#scanner.settleGone(open));
    });
  }

  /** Ends a scan that is in progress, at once and incomplete. Single names are still read. */
  endScans(): void {
    this.#scanner.end();
  }

  async close(): Promise<void> {
    this.endScans();
    this.#end.abort(new Error(`${this.name} is being closed`));
    this.#cancelSettling();
    this.#feed.close();
    await this.#work;
    try {
      this.#feed.saveAtEnd();
    } catch (error) {
      // A path missing from the scan index is read again at the next start.
      this.#options.onError(error);
    }
  }

  /** Runs one piece of work at a time with the directory open, then hands out the changes. Never rejects. */
  #exclusive(work: (open: OpenFolders) => Promise<void>): Promise<void> {
    this.#work = this.#work.then(() => this.#run(work)).catch(this.#options.onError);
    return this.#work;
  }

  /** The same in the background. */
  #soon(work: (open: OpenFolders) => Promise<void>): void {
    this.#exclusive(work).catch(this.#options.onError);
  }

  async #run(work: (open: OpenFolders) => Promise<void>): Promise<void> {
    if (this.#closed) return;
    const before = { held: this.held, trouble: this.trouble };
    try {
      using open = this.#guard.open();
      const wasUnread = this.#isUnread;
      this.#isUnread = true;
      if (open !== undefined) {
        if (wasUnread && !this.#scanner.hasEnded) await this.#scanner.readAll(open);
        await work(open);
        // A set may be half written, with the events of its other files still to come.
        if (this.#options.whole && this.#index.haveChanges && !this.#paths.hasMoving)
          await this.#scanner.readAll(open);
        this.#isUnread = false;
      }
      this.#feed.flushWholeSet();
      this.trouble = undefined;
      this.#lastReported = undefined;
    } catch (error) {
      if (error instanceof ScanEnded) return;
      const reason = withRemedy(errnoOf(error));
      this.trouble = error instanceof StateError ? undefined : reason;
      if (reason !== this.#lastReported) this.#options.onError(error);
      this.#lastReported = reason;
    }
    if (this.held !== before.held || this.trouble !== before.trouble) this.#options.onHeld();
    this.#armSettleTimer();
  }

  #armSettleTimer(): void {
    this.#cancelSettling();
    const delay = this.#isUnread ? UNREAD_RETRY : this.#queue.delay;
    if (this.#closed || delay === undefined) return;
    this.#cancelSettling = this.#options.clock.after(delay, () =>
      this.#soon((open) => this.#scanner.settle(open, this.#queue.takeDue())),
    );
  }
}
