import { statSync } from 'node:fs';
import { Tasks } from '#host/process/tasks.ts';
import type { Clock } from '#host/time/clock.ts';
import { RESERVED_NAME } from '#core/path/names.ts';
import { joinPath } from '#core/path/relative.ts';
import type { Replica } from '../scan/replica.ts';
import { FolderWatches } from './folderWatches.ts';

/** Events are collected this long before a scan, milliseconds. */
const GATHER = 15;
/** The first event after a quiet period of this length causes a scan at once, since it may be the only one. */
const FIRST = 1;
/** With events for more names than this, and for most of its names, a folder is scanned as a whole. */
const MANY_NAMES = 64;
/** Delay after which a folder with events is scanned as a whole, in case an event was lost, milliseconds. */
const LATE_REREAD = 2_000;
/**
 * The same for each name in a folder, milliseconds, if that is longer: however large the folder that recordings are added
 * to, it costs no more than 500 names a second.
 */
const LATE_REREAD_EACH = 2;
/** With more events than this within {@link BURST_WINDOW} the kernel may have dropped some: everything is scanned. */
const BURST_EVENTS = 4_000;
const BURST_WINDOW = 1_000;
/** While the event loop is busy for this long, the kernel's queue may overflow, milliseconds. */
const BUSY_LOOP = 400;
/** It did not when fewer events than this came after it: the queue holds 16,384, and those come first. */
const BUSY_EVENTS = 1_000;
/** Pause after scanning whole folders, as a multiple of the time that the scan took. */
const REST = 4;
const BEAT = 200;
/** Messages for directories that can't be watched. */
export const POLLING =
  'the kernel has no watches left, so changes are only found every few seconds: raise fs.inotify.max_user_watches (sysctl)';
/** Interval at which a directory that can't be watched (missing, no watches left) is scanned, milliseconds. */
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
  readonly #folders: FolderWatches;
  readonly #options: WatchOptions;
  readonly #tasks: Tasks;
  /** Names with events by folder; `undefined` when the whole folder is to be scanned. */
  #hints = new Map<string, Set<string> | undefined>();
  /** Since when a folder has had events and was not scanned as a whole, monotonic milliseconds. */
  readonly #late = new Map<string, number>();
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
  /** A refused watch was reported, and there is still one. */
  #isPollingKnown = false;
  #isClosed = false;
  /** Scans its hints: not before the first scan is complete, nor after the end. */
  #isScanning = false;

  constructor(replica: Replica, options: WatchOptions) {
    this.#replica = replica;
    this.#folders = replica.watches;
    this.#options = options;
    this.#tasks = new Tasks((_what, error) => options.onError(error));
  }

  /** Whether the kernel refused a watch for a part of it. */
  get isPolling(): boolean {
    return this.#folders.refused > 0;
  }

  /** From now on every folder that is scanned is watched. To be called before the first scan of the directory. */
  begin(): void {
    if (this.#isClosed) return;
    this.#folders.open({
      onEvent: (folder, name, isRename) => this.#onEvent(folder, name, isRename),
      onRefused: (error) => this.#onRefused(error),
    });
    this.#watchTheLoop();
  }

  /** To be called after the first scan. From now on, what happens causes a scan. */
  start(): void {
    if (this.#isClosed) return;
    this.#isScanning = true;
    if (this.#hints.size > 0) this.#gather = this.#lookAfter(FIRST);
    this.#poll();
  }

  /** Resolves when no scan of its own is running any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#isScanning = false;
    this.#gather?.();
    this.#later?.();
    clearTimeout(this.#pollTimer);
    clearInterval(this.#beat);
    this.#folders.close();
    await this.#tasks.ended();
  }

  #onEvent(folder: string, name: string | undefined, isRename: boolean): void {
    if (isRename && name !== undefined && this.#replica.own.isRename(joinPath(folder, name)))
      // With an event of another program, for which the kernel had no room beside so many of this one.
      return this.#lookLateAt(folder);
    this.#events += 1;
    if (this.#events > BURST_EVENTS) this.#everything = true;
    if (folder === '' && name === RESERVED_NAME) return;
    this.#hintAt(folder, name);
  }

  #hintAt(folder: string, name: string | undefined): void {
    const names = this.#hints.has(folder) ? this.#hints.get(folder) : new Set<string>();
    if (name === undefined || names === undefined || this.#areMost(names.size, folder))
      this.#hints.set(folder, undefined);
    else this.#hints.set(folder, names.add(name));
    this.#gather ??= this.#lookAfter(FIRST);
  }

  #areMost(names: number, folder: string): boolean {
    return names >= MANY_NAMES && names >= this.#replica.childrenOf(folder).size / 2;
  }

  /** @returns cancels it */
  #lookAfter(milliseconds: number): (() => void) | undefined {
    if (!this.#isScanning) return undefined;
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
      this.#noteLate(folder);
      if (hinted !== undefined) for (const name of hinted) names.push(joinPath(folder, name));
      else if (foldersAreDue) folders.push(folder);
      else this.#hints.set(folder, undefined);
    }
    this.#armLate();
    if (names.length > 0) await this.#replica.recheck(names);
    // The poll finds another directory in its place.
    if (this.#replica.held !== undefined && !this.#isSameRoot()) this.#folders.forget('');
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

  #lookLateAt(folder: string): void {
    this.#noteLate(folder);
    this.#armLate();
  }

  #noteLate(folder: string): void {
    if (!this.#late.has(folder)) this.#late.set(folder, this.#now);
  }

  #armLate(): void {
    if (!this.#isScanning || this.#late.size === 0) return;
    this.#later ??= this.#options.clock.after(LATE_REREAD, () => this.#lookLate());
  }

  #lookLate(): void {
    this.#later = undefined;
    const now = this.#now;
    const folders = [...this.#late].flatMap(([folder, since]) =>
      this.#isLate(folder, now - since) ? [folder] : [],
    );
    for (const folder of folders) this.#late.delete(folder);
    if (folders.length > 0)
      this.#tasks.run('the later scan of folders', () => this.#replica.rescanFolders(folders));
    this.#armLate();
  }

  /** By the names that the folder has by now: a first pass may have filled it meanwhile. */
  #isLate(folder: string, milliseconds: number): boolean {
    return milliseconds >= Math.max(LATE_REREAD, this.#replica.childrenOf(folder).size * LATE_REREAD_EACH);
  }

  /** Detects an event loop that was too busy to fetch events in time. */
  #watchTheLoop(): void {
    let last = performance.now();
    let wasBusy = false;
    /** Number of events at the last two beats: those of a busy time come before the beat that detects it, or after. */
    let [earlier, before] = [FolderWatches.events, FolderWatches.events];
    this.#beat = setInterval(() => {
      const now = performance.now();
      const isBusy = now - last > BEAT + BUSY_LOOP;
      if ((isBusy || wasBusy) && FolderWatches.events - earlier >= BUSY_EVENTS) this.#hintAtEverything();
      this.#events = Math.max(0, this.#events - (BURST_EVENTS * BEAT) / BURST_WINDOW);
      [last, wasBusy, earlier, before] = [now, isBusy, before, FolderWatches.events];
    }, BEAT);
    this.#beat.unref();
  }

  #hintAtEverything(): void {
    this.#everything = true;
    this.#hintAt('', undefined);
  }

  #onRefused(error: unknown): void {
    // Without free watches every folder reports an error; one is enough.
    if (!this.#isPollingKnown) this.#options.onPolling(error);
    this.#isPollingKnown = true;
  }

  #isSameRoot(): boolean {
    try {
      return this.#folders.covers('', statSync(this.#replica.path, { bigint: true }));
    } catch {
      return false;
    }
  }

  #poll(): void {
    if (!this.#isScanning) return;
    this.#pollTimer = setTimeout(
      () => this.#tasks.run('the scan of what is not watched', () => this.#pollOnce()),
      POLL,
    );
    this.#pollTimer.unref();
  }

  /** A scan of everything also watches what was not. */
  async #pollOnce(): Promise<void> {
    if (!this.#isSameRoot()) this.#folders.forget('');
    if (this.isPolling || !this.#folders.has('')) await this.#replica.rescan();
    if (!this.isPolling) this.#isPollingKnown = false;
    this.#poll();
  }
}
