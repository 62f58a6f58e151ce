import type { OpenFolders } from '#host/fs/openFolders.ts';
import type { Owners } from '#host/fs/owners.ts';
import { errnoOf } from '#host/fs/errno.ts';
import { withRemedy } from '#host/fs/remedy.ts';
import type { Clock } from '#host/time/clock.ts';
import type { PathState } from '#core/manifest/pathState.ts';
import type { Stamp } from '#core/manifest/stamp.ts';
import { joinPath } from '#core/path/relative.ts';
import type { Tree } from '#core/plan/tree.ts';
import type { ScanIndex } from '../state/scanIndex.ts';
import { StateError } from '../state/stateError.ts';
import type { Changes, PathIndex } from './pathIndex.ts';
import { OwnPlacements } from './ownPlacements.ts';
import { RootGuard } from './rootGuard.ts';
import { ScannedPaths } from './scannedPaths.ts';
import { Scanner } from './scanner.ts';
import { SettleQueue } from './settleQueue.ts';

/** Changes that could not be taken over (the state can't be written) are handed out again after this long, milliseconds. */
const FLUSH_RETRY = 5_000;
/** A directory that counts as a whole waits no longer for a file that never becomes quiet, milliseconds. */
const WHOLE_LIMIT = 5_000;
/** How long until a directory that could not be read (it is missing, no file handles are left) is tried again, milliseconds. */
const UNREAD_RETRY = 3_000;

/** A file that has been changing for so long is named to people, milliseconds. */
const RESTLESS = 60_000;
const RESTLESS_REASON = 'is still being written; it travels once it is closed and quiet';

export type ReplicaOptions = {
  readonly name: string;
  /** Absolute path of the synchronised directory on this host. */
  readonly path: string;
  /** Relative paths of the synchronised directories inside this one. */
  readonly nested: ReadonlySet<string>;
  /** How long a file must have been quiet, milliseconds. */
  readonly settle: number;
  /** True when an empty directory is suspicious: where its emptiness would remove files elsewhere. */
  readonly emptyIsHeld: boolean;
  /** True when files mean something together: what changes in the same moment is reported when all of it is quiet. */
  readonly whole: boolean;
  /** True for a name that this host leaves alone unless it knows it already; none when absent. */
  readonly isExcluded?: (path: string, isFolder: boolean) => boolean;
  readonly index: ScanIndex;
  readonly owners: Owners;
  readonly clock: Clock;
  readonly onChanges: (changes: Changes) => void;
  /** Held now or unreadable, or not any more. */
  readonly onHeld: () => void;
  readonly onError: (error: unknown) => void;
};

/**
 * What one host holds of one synchronised directory, kept true while the disk changes. Hints (a folder, or a
 * name in it, may have changed) make it read again; files are taken only when they have been quiet.
 */
export class Replica implements Tree {
  readonly name: string;
  readonly path: string;
  /** Why the directory as a whole could not be read the last time. Trouble with the state is not reported here. */
  trouble: string | undefined;
  readonly #options: ReplicaOptions;
  readonly #queue: SettleQueue;
  readonly #paths: ScannedPaths;
  readonly #guard: RootGuard;
  readonly #scanner: Scanner;
  readonly own = new OwnPlacements((paths) => void this.recheck(paths));
  /** The same error again is not reported again. */
  #lastReported: string | undefined;
  #settleTimer: NodeJS.Timeout | undefined;
  #flushTimer: NodeJS.Timeout | undefined;
  /** Changes wait that nobody has taken over yet: what was learnt with them is not to be remembered without them. */
  #isUnflushed = false;
  /** Since when changes wait until the whole directory is quiet (monotonic milliseconds). */
  #waitingSince: number | undefined;
  #work: Promise<void> = Promise.resolve();
  /** A hint could not be followed: everything is read as soon as the directory can be read again. */
  #isUnread = false;
  #closed = false;

  constructor(options: ReplicaOptions) {
    this.#options = options;
    const { name, path, nested, settle, emptyIsHeld, index, owners, clock } = options;
    this.name = name;
    this.path = path;
    this.#queue = new SettleQueue(clock, settle);
    this.#paths = new ScannedPaths(this.#queue, index, options.isExcluded ?? (() => false));
    this.#guard = new RootGuard(path, index, this.#paths, emptyIsHeld);
    const { paths, queue, guard } = { paths: this.#paths, queue: this.#queue, guard: this.#guard };
    this.#scanner = new Scanner({ nested, owners, paths, queue, guard, own: this.own, whole: options.whole });
  }

  get #index(): PathIndex {
    return this.#paths.index;
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

  /** The stamp under which a settled path was read. */
  stampAt(path: string): Stamp | undefined {
    return this.#index.get(path)?.stamp;
  }

  paths(): Iterable<string> {
    return this.#index.paths();
  }

  /** What is there and does not travel, and why, by path. */
  get skipped(): ReadonlyMap<string, string> {
    const restless = [...this.#paths.restless(RESTLESS)];
    if (restless.length === 0) return this.#index.skipped;
    return new Map([...restless.map((path) => [path, RESTLESS_REASON] as const), ...this.#index.skipped]);
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

  /** Reads the whole directory; files whose stamp is unchanged are not read. */
  rescan(): Promise<void> {
    this.own.clear();
    return this.#exclusive((open) => this.#scanner.readAll(open));
  }

  /** Reads folders (not what lies in their known folders). */
  rescanFolders(folders: readonly string[]): Promise<void> {
    return this.#exclusive((open) => this.#scanner.readFolders(open, folders));
  }

  /** Reads single names. */
  recheck(paths: readonly string[]): Promise<void> {
    return this.#exclusive((open) => this.#scanner.readNames(open, paths));
  }

  /**
   * Waits until nothing is under change, at most `limit` milliseconds.
   * @returns what is still under change
   */
  async whenQuiet(limit: number): Promise<string[]> {
    const { clock } = this.#options;
    const deadline = clock.monotonic() + limit;
    for (;;) {
      await this.#work;
      if (!this.#queue.isAnyDueBefore(deadline) || this.#closed || clock.monotonic() > deadline)
        return this.movingPaths;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Takes over what this program itself has just put (or removed: undefined) at a path. */
  adopt(path: string, placed: { state: PathState; stamp: Stamp } | undefined): void {
    this.#queue.delete(path);
    this.own.adopted(path);
    if (placed === undefined) {
      this.#paths.dropBelow(path);
      this.#paths.drop(path);
    } else if (!this.#paths.takeExcluded(path, isFolder(placed.state))) {
      this.#paths.dropBelowUnlessFolder(path, placed.state);
      this.#paths.put(path, placed.state, placed.stamp);
    }
  }

  /** The bytes of these files are not what was remembered: they are read again, whatever their times say. */
  distrust(paths: Iterable<string>): void {
    const distrusted = [...paths];
    for (const path of distrusted) this.#paths.putMoving(path, '');
    void this.recheck(distrusted);
  }

  /**
   * Hands the changes so far to `onChanges`, and saves what was learnt.
   * @throws what `onChanges` or the state throws; then both are tried again later
   */
  flush(): void {
    const changes = this.#index.takeChanges();
    try {
      if (changes.size > 0) this.#options.onChanges(changes);
    } catch (error) {
      this.#index.putBack(changes);
      this.#isUnflushed = true;
      this.#flushLater();
      throw error;
    }
    this.#isUnflushed = false;
    try {
      this.#paths.save(this.#options.index);
    } catch (error) {
      this.#flushLater();
      throw error;
    }
  }

  /** A person says that the directory as it is now is the right one. @throws Node's fs error when it can't be opened */
  confirm(): Promise<void> {
    return this.#guard.confirm(async () => {
      await this.rescan();
      await this.#exclusive((open) => {
        const gone = [...this.#index.paths()].filter((path) => this.#paths.isGone(path));
        return this.#scanner.settle(open, gone);
      });
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#settleTimer);
    clearTimeout(this.#flushTimer);
    await this.#work;
    try {
      if (!this.#isUnflushed) this.#paths.save(this.#options.index);
    } catch (error) {
      // What is not remembered is read again at the next start.
      this.#options.onError(error);
    }
  }

  /** True while other files of the same set are still changing. */
  #waitsForOthers(): boolean {
    const now = this.#options.clock.monotonic();
    if (this.#options.whole && this.#paths.hasMoving) {
      this.#waitingSince ??= now;
      if (now - this.#waitingSince < WHOLE_LIMIT) return true;
    }
    this.#waitingSince = undefined;
    return false;
  }

  #flushLater(): void {
    clearTimeout(this.#flushTimer);
    if (!this.#closed)
      this.#flushTimer = setTimeout(() => void this.#exclusive(async () => undefined), FLUSH_RETRY);
  }

  /** One piece of work after the other, each with the directory open; then the changes are handed out. Never rejects. */
  #exclusive(work: (open: OpenFolders) => Promise<void>): Promise<void> {
    this.#work = this.#work.then(() => this.#run(work));
    return this.#work;
  }

  async #run(work: (open: OpenFolders) => Promise<void>): Promise<void> {
    if (this.#closed) return;
    const before = { held: this.held, trouble: this.trouble };
    try {
      using open = this.#guard.open();
      const wasUnread = this.#isUnread;
      this.#isUnread = true;
      if (open !== undefined) {
        if (wasUnread) await this.#scanner.readAll(open);
        await work(open);
        // Somebody may be in the middle of writing a set, and the events of its other files still be on their way.
        if (this.#options.whole && this.#index.haveChanges && !this.#paths.hasMoving)
          await this.#scanner.readAll(open);
        this.#isUnread = false;
      }
      if (this.#waitsForOthers()) this.#isUnflushed = true;
      else this.flush();
      this.trouble = undefined;
      this.#lastReported = undefined;
    } catch (error) {
      const reason = withRemedy(errnoOf(error));
      this.trouble = error instanceof StateError ? undefined : reason;
      if (reason !== this.#lastReported) this.#options.onError(error);
      this.#lastReported = reason;
    }
    if (this.held !== before.held || this.trouble !== before.trouble) this.#options.onHeld();
    this.#armSettleTimer();
  }

  #armSettleTimer(): void {
    clearTimeout(this.#settleTimer);
    const delay = this.#isUnread ? UNREAD_RETRY : this.#queue.delay;
    if (this.#closed || delay === undefined) return;
    this.#settleTimer = setTimeout(
      () => void this.#exclusive((open) => this.#scanner.settle(open, this.#queue.takeDue())),
      delay,
    );
  }
}

function isFolder(state: PathState): boolean {
  return state.kind === 'settled' && state.entry.type === 'folder';
}
