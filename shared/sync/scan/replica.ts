import type { OpenFolders } from '#host/fs/openFolders.ts';
import { errnoOf } from '#host/fs/errno.ts';
import { withRemedy } from '#host/fs/remedy.ts';
import { pause } from '#host/time/clock.ts';
import type { Entry } from '#core/manifest/entry.ts';
import type { PathState } from '#core/manifest/pathState.ts';
import type { Stamp } from '#core/manifest/stamp.ts';
import type { Tree } from '#core/plan/tree.ts';
import { FolderWatches } from '../watch/folderWatches.ts';
import { StateError } from '../state/stateError.ts';
import { ChangeFeed } from './changeFeed.ts';
import { ContentReader } from './content/contentReader.ts';
import type { PathIndex } from './pathIndex.ts';
import { OwnPlacements } from './ownPlacements.ts';
import type { ReplicaOptions } from './replicaOptions.ts';
import { RootGuard } from './rootGuard.ts';
import { ScannedPaths } from './scannedPaths.ts';
import { ScanEnded, Scanner } from './scanner.ts';
import { SettleQueue } from './settleQueue.ts';

/** Interval at which a wait for quiet is checked, milliseconds. */
const LOOK_EVERY = 20;
/** Delay before an unreadable directory (missing, or no file handles left) is scanned again, milliseconds. */
const UNREAD_RETRY = 3_000;

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
  /** Of the folders that it scans; none before it is opened. */
  readonly watches = new FolderWatches();
  readonly contents: ContentReader;
  readonly own = new OwnPlacements(
    (paths) => this.#soon((open) => this.#scanner.readNames(open, paths)),
    (folder) => this.watches.reports(folder),
  );
  /** The last reported error, which is not reported twice. */
  #lastReported: string | undefined;
  #cancelSettling: () => void = () => undefined;
  #work: Promise<void> = Promise.resolve();
  /** A hint was lost because the directory could not be read: the next scan is a full one. */
  #isUnread = false;
  readonly #end = new AbortController();
  /** Aborted when it is closed, so that all waits on it end. */
  readonly signal = this.#end.signal;

  constructor(options: ReplicaOptions) {
    this.#options = options;
    const { rules, path, nested, index, owners, clock, events } = options;
    const { settle, emptyIsHeld } = rules;
    this.name = rules.name;
    this.path = path;
    const queue = (this.#queue = new SettleQueue(clock, settle));
    const paths = (this.#paths = new ScannedPaths(queue, index, options.isExcluded ?? (() => false)));
    const guard = (this.#guard = new RootGuard(path, index, paths, emptyIsHeld));
    this.contents = new ContentReader(clock);
    const { own, contents, watches } = this;
    const soon = (turn = (): Promise<void> => Promise.resolve()): void => this.#soon(turn);
    const feed = (this.#feed = new ChangeFeed({ paths, index, rules, clock, events, soon }));
    this.#scanner = new Scanner({ nested, owners, paths, queue, guard, own, contents, feed }, watches);
  }

  /** What is known of its paths. */
  get index(): PathIndex {
    return this.#paths.index;
  }

  get held(): string | undefined {
    return this.#guard.held;
  }

  get files(): number {
    return this.index.files;
  }

  get bytes(): number {
    return this.index.bytes;
  }

  get digest(): string {
    return this.index.digest;
  }

  get(path: string): PathState | undefined {
    const state = this.index.stateOf(path);
    if (state !== undefined) return state;
    const errno = this.#paths.unreadableAbove(path);
    return errno === undefined ? undefined : { kind: 'unreadable', errno };
  }

  /** The stamp under which a path was read. */
  stampAt(path: string): Stamp | undefined {
    return this.index.get(path)?.stamp;
  }

  /** See {@link PathIndex.stampOf}. */
  stampOf(path: string, what: Entry | 'special'): Stamp | undefined {
    return this.index.stampOf(path, what);
  }

  paths(): Iterable<string> {
    return this.index.paths();
  }

  /** Existing paths that do not travel, with the reason. */
  get skipped(): Iterable<readonly [path: string, why: string]> {
    return this.#paths.skipped;
  }

  childrenOf(folder: string): ReadonlySet<string> {
    return this.index.childrenOf(folder);
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
      if (!this.#queue.isAnyDueBefore(deadline) || this.signal.aborted || clock.monotonic() > deadline)
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
    if (this.own.adopted(path) || !this.#paths.adopt(path, placed, expect))
      this.#soon((open) => this.#scanner.readNames(open, [path]));
  }

  /** Discards the remembered content of these files, so that they are read again even with an unchanged stamp. */
  distrust(paths: Iterable<string>): void {
    const distrusted = [...paths];
    for (const path of distrusted) this.#paths.putMoving(path, '');
    this.#soon((open) => this.#scanner.readNames(open, distrusted));
  }

  /** See {@link ChangeFeed.flush}. */
  flush(turn?: () => Promise<void>): void {
    this.#feed.flush(turn);
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
    await Promise.all([this.#work, this.contents.ended()]);
    try {
      this.#feed.saveAtEnd();
    } catch (error) {
      // A path missing from the scan index is read again at the next start.
      this.#options.events.onError(error);
    }
  }

  /** Runs one piece of work at a time with the directory open, then hands out the changes. Never rejects. */
  #exclusive(work: (open: OpenFolders) => Promise<void>): Promise<void> {
    this.#work = this.#work.then(() => this.#run(work)).catch(this.#options.events.onError);
    return this.#work;
  }

  /** The same in the background. */
  #soon(work: (open: OpenFolders) => Promise<void>): void {
    this.#exclusive(work).catch(this.#options.events.onError);
  }

  async #run(work: (open: OpenFolders) => Promise<void>): Promise<void> {
    if (this.signal.aborted) return;
    const before = { held: this.held, trouble: this.trouble };
    try {
      using open = this.#guard.open();
      const wasUnread = this.#isUnread;
      this.#isUnread = true;
      if (open !== undefined) {
        if (wasUnread && !this.#scanner.hasEnded) await this.#scanner.readAll(open);
        await work(open);
        // A set may be half written, with the events of its other files still to come.
        if (this.#options.rules.whole && this.index.haveChanges && !this.#paths.hasMoving)
          await this.#scanner.readAll(open);
        this.#isUnread = false;
      }
      await this.#feed.flushWholeSet();
      this.trouble = undefined;
      this.#lastReported = undefined;
    } catch (error) {
      if (error instanceof ScanEnded) return;
      const reason = withRemedy(errnoOf(error));
      this.trouble = error instanceof StateError ? undefined : reason;
      if (reason !== this.#lastReported) this.#options.events.onError(error);
      this.#lastReported = reason;
    }
    if (this.held !== before.held || this.trouble !== before.trouble) this.#options.events.onHeld();
    this.#armSettleTimer();
  }

  #armSettleTimer(): void {
    this.#cancelSettling();
    const delay = this.#isUnread ? UNREAD_RETRY : this.#queue.delay;
    if (delay === undefined) this.contents.caughtUp();
    if (delay === undefined) this.#queue.caughtUp();
    if (this.signal.aborted || delay === undefined) return;
    this.#cancelSettling = this.#options.clock.after(delay, () =>
      this.#soon((open) => this.#scanner.settle(open, this.#queue.takeDue())),
    );
  }
}
