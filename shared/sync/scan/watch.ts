import path from 'node:path';
import { watch, type FSWatcher } from 'chokidar';
import { realpathSync, statSync } from 'node:fs';
import { Tasks } from '#host/process/tasks.ts';
import type { Clock } from '#host/time/clock.ts';
import { OVERRIDE_PREFIX, RESERVED_NAME } from '#core/path/names.ts';
import type { Replica } from './replica.ts';

/** Events are collected this long before a scan, milliseconds. */
const GATHER = 15;
/** The first event after a quiet period of this length causes a scan at once, since it may be the only one. */
const FIRST = 1;
/** With events for more names than this, a folder is scanned as a whole. */
const MANY_NAMES = 64;
/** Delay after which a folder with events is scanned as a whole, in case an event was lost, milliseconds. */
const LATE_REREAD = 2_000;
/** With more events than this within {@link BURST_WINDOW} the kernel may have dropped some: everything is scanned. */
const BURST_EVENTS = 4_000;
const BURST_WINDOW = 1_000;
/** A busy event loop of this length may have caused the kernel's queue to overflow, milliseconds. */
const BUSY_LOOP = 400;
/** Pause after scanning whole folders, as a multiple of the time that the scan took. */
const REST = 4;
const BEAT = 200;
/** Messages for directories that can't be watched. */
export const POLLING =
  'the kernel has no watches left, so changes are only found every few seconds: raise fs.inotify.max_user_watches (sysctl)';
/** Interval at which folders that can't be watched (a name that is not UTF-8, no watches left) are scanned, milliseconds. */
const POLL = 5_000;

export type WatchOptions = {
  readonly clock: Clock;
  /** Called with the reason when a part can't be watched and is polled every few seconds instead. */
  readonly onPolling: (error: unknown) => void;
  readonly onError: (error: unknown) => void;
};

/**
 * Tells a replica which paths to scan. Events are only hints: Node does not report an overflow of the kernel's queue, so a
 * folder with events is scanned as a whole a little later, and bursts widen that to the whole directory.
 *
 * RACE: the kernel drops an event without any sign of overflow. Worst case: the change is noticed by the next full pass,
 * after 15 minutes.
 */
export class Watch {
  readonly #replica: Replica;
  readonly #options: WatchOptions;
  readonly #tasks: Tasks;
  #watcher: FSWatcher | undefined;
  #real = '';
  /** Names with events by folder; `undefined` when the whole folder is to be scanned. */
  #hints = new Map<string, Set<string> | undefined>();
  readonly #late = new Set<string>();
  /** Cancels the scan that is due. Undefined when none is, and no scan is running. */
  #gather: (() => void) | undefined;
  /** Cancels the later scan of whole folders that is due. */
  #later: (() => void) | undefined;
  #pollTimer: NodeJS.Timeout | undefined;
  #beat: NodeJS.Timeout | undefined;
  /** Whole folders are not scanned before this time (monotonic milliseconds), so that a large one is not scanned constantly. */
  #foldersNotBefore = 0;
  #events = 0;
  /** Number of full scans made because events may have been lost. */
  overflows = 0;
  #everything = false;
  #unwatched = false;
  /** Whether the kernel refused a watch for a part of it. */
  isPolling = false;
  #closed = false;
  /** Resolves the wait for the watcher. */
  #onStopped: () => void = () => undefined;
  /** Identity of the watched folder, since another one may take its place. */
  #identity = '';

  constructor(replica: Replica, options: WatchOptions) {
    this.#replica = replica;
    this.#options = options;
    this.#tasks = new Tasks((_what, error) => options.onError(error));
  }

  /** Starts watching; resolves when every folder is watched. A directory that can't be watched is polled. */
  async start(nested: ReadonlySet<string>): Promise<void> {
    if (this.#closed) return;
    try {
      this.#real = realpathSync(this.#replica.path);
      this.#identity = identityOf(this.#replica.path);
      this.#unwatched = false;
      this.isPolling = false;
    } catch {
      // Missing: the poll finds it when it is created.
      this.#unwatched = true;
      this.#poll(nested);
      return;
    }
    const ignored = new Set([...nested, RESERVED_NAME].map((inner) => path.join(this.#real, inner)));
    const watcher = watch(this.#real, {
      ignored: (file, stats) =>
        ignored.has(file) ||
        path.basename(file).startsWith(OVERRIDE_PREFIX) ||
        (stats !== undefined && !stats.isDirectory()),
      ignoreInitial: true,
      followSymlinks: false,
      atomic: false,
    });
    this.#watcher = watcher;
    watcher.on('raw', (_event, name, details) => this.#onRaw(name, details));
    // A new folder is watched a moment after its creation, so it is scanned for what was created before.
    watcher.on('addDir', (folder) => this.#hintAt(path.relative(this.#real, folder), undefined));
    watcher.on('error', (error) => this.#onWatchError(error));
    const { promise: isReady, resolve } = Promise.withResolvers<void>();
    watcher.once('ready', () => resolve());
    // A watcher that is closed before it is ready never emits 'ready'.
    this.#onStopped = resolve;
    await isReady;
    if (this.#watcher !== watcher) return;
    // Changes between the last scan and the start of the watch caused no event.
    this.#hintAtEverything();
    this.#watchTheLoop();
    this.#poll(nested);
  }

  /** Resolves when no scan of its own is running any more. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#gather?.();
    this.#later?.();
    clearTimeout(this.#pollTimer);
    await this.#stopWatching();
    await this.#tasks.ended();
  }

  async #stopWatching(): Promise<void> {
    clearInterval(this.#beat);
    const watcher = this.#watcher;
    this.#watcher = undefined;
    this.#onStopped();
    await watcher?.close();
  }

  #onRaw(name: unknown, details: unknown): void {
    const watched = watchedPathOf(details);
    if (watched === undefined) return;
    this.#events += 1;
    if (this.#events > BURST_EVENTS) this.#everything = true;
    const folder = path.relative(this.#real, watched);
    if (folder.startsWith('..')) return this.#hintAt('', undefined);
    const known = typeof name === 'string' && name !== '' && !name.includes('\ufffd');
    if (known && folder === '' && name === RESERVED_NAME) return;
    this.#hintAt(folder, known ? name : undefined);
  }

  #hintAt(folder: string, name: string | undefined): void {
    const names = this.#hints.has(folder) ? this.#hints.get(folder) : new Set<string>();
    if (name === undefined || names === undefined || names.size >= MANY_NAMES)
      this.#hints.set(folder, undefined);
    else this.#hints.set(folder, names.add(name));
    this.#gather ??= this.#lookAfter(FIRST);
  }

  /** @returns cancels it */
  #lookAfter(milliseconds: number): (() => void) | undefined {
    if (this.#closed) return undefined;
    return this.#options.clock.after(milliseconds, () =>
      this.#tasks.run('the scan of what changed', () => this.#lookUntilDone()),
    );
  }

  /** One scan at a time; events that arrive meanwhile are collected for the next. */
  async #lookUntilDone(): Promise<void> {
    await this.#look().finally(() => (this.#gather = undefined));
    if (this.#hints.size === 0 && !this.#everything) return;
    const onlyFolders = [...this.#hints.values()].every((names) => names === undefined);
    const wait = onlyFolders ? Math.max(GATHER, this.#foldersNotBefore - this.#now) : GATHER;
    this.#gather = this.#lookAfter(wait);
  }

  get #now(): number {
    return this.#options.clock.monotonic();
  }

  async #look(): Promise<void> {
    const hints = this.#hints;
    this.#hints = new Map();
    const foldersAreDue = this.#now >= this.#foldersNotBefore;
    const names: string[] = [];
    const folders: string[] = [];
    for (const [folder, hinted] of hints) {
      this.#late.add(folder);
      if (hinted !== undefined)
        for (const name of hinted) names.push(folder === '' ? name : `${folder}/${name}`);
      else if (foldersAreDue) folders.push(folder);
      else this.#hints.set(folder, undefined);
    }
    if (!this.#closed) this.#later ??= this.#options.clock.after(LATE_REREAD, () => this.#lookLate());
    if (names.length > 0) await this.#replica.recheck(names);
    // A watcher does not recover when its directory was removed and created again: the poll detects that.
    if (this.#replica.held !== undefined && !this.#isSameRoot()) await this.#stopWatching();
    if (!foldersAreDue) return;
    const startedAt = this.#now;
    if (this.#everything) {
      this.overflows += 1;
      this.#everything = false;
      this.#events = 0;
      await this.#replica.rescan();
    } else if (folders.length > 0) await this.#replica.rescanFolders(folders);
    const took = this.#now - startedAt;
    this.#foldersNotBefore = startedAt + took * (1 + REST);
  }

  #lookLate(): void {
    this.#later = undefined;
    const folders = [...this.#late];
    this.#late.clear();
    this.#tasks.run('the later scan of folders', () => this.#replica.rescanFolders(folders));
  }

  /** Detects an event loop that was too busy to fetch events in time. */
  #watchTheLoop(): void {
    let last = performance.now();
    this.#beat = setInterval(() => {
      const now = performance.now();
      if (now - last > BEAT + BUSY_LOOP) this.#hintAtEverything();
      this.#events = Math.max(0, this.#events - (BURST_EVENTS * BEAT) / BURST_WINDOW);
      last = now;
    }, BEAT);
    this.#beat.unref();
  }

  #hintAtEverything(): void {
    this.#everything = true;
    this.#hintAt('', undefined);
  }

  #onWatchError(error: unknown): void {
    // Without free watches every folder reports an error; one is enough.
    if (!this.isPolling) this.#options.onPolling(error);
    this.isPolling = true;
    this.#unwatched = true;
  }

  #isSameRoot(): boolean {
    return identityOf(this.#replica.path) === this.#identity;
  }

  #poll(nested: ReadonlySet<string>): void {
    if (this.#closed) return;
    this.#pollTimer = setTimeout(
      () => this.#tasks.run('the scan of what is not watched', () => this.#pollOnce(nested)),
      POLL,
    );
    this.#pollTimer.unref();
  }

  async #pollOnce(nested: ReadonlySet<string>): Promise<void> {
    if (!this.#isSameRoot()) await this.#stopWatching();
    if (this.#watcher === undefined) {
      await this.#replica.rescan();
      if (this.#closed) return;
      if (this.#replica.held === undefined) return this.start(nested);
    } else if (this.#unwatched) await this.#replica.rescan();
    else {
      const blind = [...this.#replica.folders()].filter((folder) => !folder.isWellFormed());
      if (blind.length > 0) await this.#replica.rescanFolders(blind);
    }
    this.#poll(nested);
  }
}

/** The path that chokidar watches, in what it passes on with a raw event. */
function watchedPathOf(details: unknown): string | undefined {
  if (typeof details !== 'object' || details === null || !('watchedPath' in details)) return undefined;
  return typeof details.watchedPath === 'string' ? details.watchedPath : undefined;
}

/** Device and inode; '' when it is missing. */
function identityOf(folder: string): string {
  try {
    const { dev, ino } = statSync(folder);
    return `${dev}:${ino}`;
  } catch {
    return '';
  }
}
