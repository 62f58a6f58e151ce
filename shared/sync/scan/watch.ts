import path from 'node:path';
import { watch, type FSWatcher } from 'chokidar';
import { realpathSync, statSync } from 'node:fs';
import { OVERRIDE_PREFIX, RESERVED_NAME } from '#core/path/names.ts';
import type { Replica } from './replica.ts';

/** Events are gathered this long before anything is looked at, milliseconds. */
const GATHER = 15;
/** The first after a while is looked at at once: it may be all that comes. */
const FIRST = 1;
/** More names than this in one folder: the folder is read as a whole. */
const MANY_NAMES = 64;
/** A folder that had events is read as a whole after this long, in case one was lost, milliseconds. */
const LATE_REREAD = 2_000;
/** More events than this within {@link BURST_WINDOW} and the kernel may have dropped some: everything is read again. */
const BURST_EVENTS = 4_000;
const BURST_WINDOW = 1_000;
/** The event loop was busy this long: the kernel's queue may have overflowed meanwhile, milliseconds. */
const BUSY_LOOP = 400;
/** After reading folders for a time, so many times as long passes before they are read again. */
const REST = 4;
const BEAT = 200;
/** What to say where a directory can't be watched. */
export const POLLING =
  'the kernel has no watches left, so changes are only found every few seconds: raise fs.inotify.max_user_watches (sysctl)';
/** Folders that can't be watched (a name that is not UTF-8, no watches left) are read this often, milliseconds. */
const POLL = 5_000;

/**
 * Tells a replica where to look. Events are hints, never the truth: Node reports no overflow of the kernel's
 * queue, so a folder with events is read again as a whole a little later, and bursts widen to the whole directory.
 */
export class Watch {
  readonly #replica: Replica;
  readonly #onPolling: (error: unknown) => void;
  #watcher: FSWatcher | undefined;
  #real = '';
  /** Names with events by folder; `undefined` when the whole folder is to be read. */
  #hints = new Map<string, Set<string> | undefined>();
  readonly #late = new Set<string>();
  #gather: NodeJS.Timeout | undefined;
  #lateTimer: NodeJS.Timeout | undefined;
  #pollTimer: NodeJS.Timeout | undefined;
  #beat: NodeJS.Timeout | undefined;
  /** Whole folders are not read again before this time (monotonic): reading a large one over and over helps nobody. */
  #foldersNotBefore = 0;
  #events = 0;
  /** How often the whole directory was read again, since single events could no longer be trusted. */
  overflows = 0;
  #everything = false;
  #unwatched = false;
  /** Whether the kernel refused to watch some of it. */
  isPolling = false;
  #closed = false;
  /** Settles what waits for the watcher. */
  #onStopped: () => void = () => undefined;
  /** The folder that is watched: one that takes its place is not. */
  #identity = '';

  /** @param onPolling hears why not all of it can be watched; it is read every few seconds instead */
  constructor(replica: Replica, onPolling: (error: unknown) => void) {
    this.#replica = replica;
    this.#onPolling = onPolling;
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
      // Missing: the poll finds it when it comes.
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
    // It is watched a moment after it was seen: what came into it in between is found by reading it.
    watcher.on('addDir', (folder) => this.#hintAt(path.relative(this.#real, folder), undefined));
    watcher.on('error', (error) => this.#onWatchError(error));
    const { promise: isReady, resolve } = Promise.withResolvers<void>();
    watcher.once('ready', () => resolve());
    // One that is closed while it looks around never is.
    this.#onStopped = resolve;
    await isReady;
    if (this.#watcher !== watcher) return;
    // What happened since it was last read and before it was watched sent no event.
    this.#hintAtEverything();
    this.#watchTheLoop();
    this.#poll(nested);
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const timer of [this.#gather, this.#lateTimer, this.#pollTimer]) clearTimeout(timer);
    await this.#stopWatching();
  }

  async #stopWatching(): Promise<void> {
    clearInterval(this.#beat);
    const watcher = this.#watcher;
    this.#watcher = undefined;
    this.#onStopped();
    await watcher?.close();
  }

  #onRaw(name: unknown, details: unknown): void {
    const watched = (details as { watchedPath?: unknown }).watchedPath;
    if (typeof watched !== 'string') return;
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
    this.#gather ??= setTimeout(() => void this.#lookUntilDone(), FIRST);
  }

  /** One look at a time: what comes meanwhile is gathered for the next. */
  async #lookUntilDone(): Promise<void> {
    await this.#look();
    this.#gather = undefined;
    if (this.#hints.size === 0 && !this.#everything) return;
    const onlyFolders = [...this.#hints.values()].every((names) => names === undefined);
    const wait = onlyFolders ? Math.max(GATHER, this.#foldersNotBefore - performance.now()) : GATHER;
    this.#gather = setTimeout(() => void this.#lookUntilDone(), wait);
  }

  async #look(): Promise<void> {
    const hints = this.#hints;
    this.#hints = new Map();
    const foldersAreDue = performance.now() >= this.#foldersNotBefore;
    const names: string[] = [];
    const folders: string[] = [];
    for (const [folder, hinted] of hints) {
      this.#late.add(folder);
      if (hinted !== undefined)
        for (const name of hinted) names.push(folder === '' ? name : `${folder}/${name}`);
      else if (foldersAreDue) folders.push(folder);
      else this.#hints.set(folder, undefined);
    }
    this.#lateTimer ??= setTimeout(() => this.#lookLate(), LATE_REREAD);
    if (names.length > 0) await this.#replica.recheck(names);
    // Once its directory went away a watcher is blind, also when it comes back: the poll finds that.
    if (this.#replica.held !== undefined && !this.#isSameRoot()) await this.#stopWatching();
    if (!foldersAreDue) return;
    const begun = performance.now();
    if (this.#everything) {
      this.overflows += 1;
      this.#everything = false;
      this.#events = 0;
      await this.#replica.rescan();
    } else if (folders.length > 0) await this.#replica.rescanFolders(folders);
    const took = performance.now() - begun;
    this.#foldersNotBefore = begun + took * (1 + REST);
  }

  #lookLate(): void {
    this.#lateTimer = undefined;
    const folders = [...this.#late];
    this.#late.clear();
    void this.#replica.rescanFolders(folders);
  }

  /** Notices that the loop was too busy to fetch events in time. */
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
    // Where watches have run out every folder says so: once is enough.
    if (!this.isPolling) this.#onPolling(error);
    this.isPolling = true;
    this.#unwatched = true;
  }

  #isSameRoot(): boolean {
    return identityOf(this.#replica.path) === this.#identity;
  }

  #poll(nested: ReadonlySet<string>): void {
    if (this.#closed) return;
    this.#pollTimer = setTimeout(() => void this.#pollOnce(nested), POLL);
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

/** Device and inode; '' when it is missing. */
function identityOf(folder: string): string {
  try {
    const { dev, ino } = statSync(folder);
    return `${dev}:${ino}`;
  } catch {
    return '';
  }
}
