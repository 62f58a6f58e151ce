import type { Clock } from '#host/time/clock.ts';
import { TimeSlice } from '#host/time/timeSlice.ts';
import type { ScanIndex } from '../state/scanIndex.ts';
import type { DirectoryRules, ReplicaEvents } from './replicaOptions.ts';
import type { ScannedPaths } from './scannedPaths.ts';

/** Delay before changes whose consumer failed (the state can't be written) are handed out again, milliseconds. */
const FLUSH_RETRY = 5_000;
/** Longest time that the changes of a whole-set directory wait for a file that never settles, milliseconds. */
const WHOLE_LIMIT = 5_000;

/**
 * Bytes after which what has been read so far is handed out: as much as one change set carries, so that the first one
 * travels while the next is being read.
 */
const PART_BYTES = 64 * 1024 * 1024;

/** Changes that are handed out, and paths that are saved, at a time: of a folder that was renamed all would take seconds. */
const PORTION = 2_000;

export type ChangeFeedOptions = {
  readonly paths: ScannedPaths;
  /** Where the scanned paths are saved. */
  readonly index: ScanIndex;
  readonly rules: Pick<DirectoryRules, 'whole' | 'inParts'>;
  readonly clock: Clock;
  readonly events: Pick<ReplicaEvents, 'onChanges' | 'onFolderRenamed'>;
  /** Has the changes handed out again, in turn with scans, and after `turn`. */
  readonly soon: (turn?: () => Promise<void>) => void;
};

/** Hands out what a scan has found, and saves the scan index only together with it. */
export class ChangeFeed {
  readonly #options: ChangeFeedOptions;
  #cancelRetry: () => void = () => undefined;
  /** True while changes are pending: the scan index must not be saved without them. */
  #isUnflushed = false;
  /** Since when changes wait for the whole directory to settle, monotonic milliseconds. */
  #waitingSince: number | undefined;
  #isClosed = false;
  /** Bytes that were read since the last hand-out. */
  #read = 0;

  constructor(options: ChangeFeedOptions) {
    this.#options = options;
  }

  /** True when the files belong together: none counts before the others have settled. */
  get whole(): boolean {
    return this.#options.rules.whole;
  }

  /**
   * Hands the pending changes to `onChanges` and saves the scan index.
   * @param turn resolves when the index may be saved; at once when it is left out
   * @throws what `onChanges` or the state throws; both are retried later
   */
  flush(turn?: () => Promise<void>): void {
    this.#handOut();
    // That ends with another flush.
    if (turn !== undefined) return this.#options.soon(turn);
    this.#save();
  }

  #save(most?: number): boolean {
    const { paths, index } = this.#options;
    try {
      return paths.save(index, most);
    } catch (error) {
      this.#flushLater();
      throw error;
    }
  }

  /** @param most number of changes, about; the others stay pending */
  #handOut(most?: number, continues = false): void {
    const { paths, events } = this.#options;
    const changes = paths.index.takeChanges(most);
    this.#read = 0;
    this.#isUnflushed = true;
    try {
      if (changes.size > 0) events.onChanges(changes, continues);
    } catch (error) {
      paths.index.putBack(changes);
      this.#flushLater();
      throw error;
    }
    this.#isUnflushed = paths.index.haveChanges;
  }

  /**
   * Notes that the content of a file was read, and hands out the pending changes if much was read since the last time. They
   * are saved with the last part: until then, a restart would read these files again.
   */
  read(bytes: number): void {
    this.#read += bytes;
    if (this.#options.rules.inParts !== true || this.#read < PART_BYTES) return;
    try {
      this.#handOut();
    } catch {
      // They are pending again, and the end of the scan reports what is wrong.
    }
  }

  /** A folder was found under another name; what has changed in it is handed out later. */
  folderRenamed(from: string, to: string): void {
    this.#options.events.onFolderRenamed?.(from, to);
  }

  /** As {@link flush}, unless other files of the same set are still changing. Very much is handed out in portions. */
  async flushWholeSet(): Promise<void> {
    if (this.#waitsForOthers()) this.#isUnflushed = true;
    else if (this.whole) this.flush();
    else await this.#flushInPortions();
  }

  async #flushInPortions(): Promise<void> {
    const slice = new TimeSlice();
    for (let continues = false; ; continues = true) {
      this.#handOut(PORTION, continues);
      // What is found meanwhile is not saved before it is handed out, either.
      if (!this.#isUnflushed && this.#save(PORTION)) return;
      await slice.pause();
      if (this.#isClosed) return;
    }
  }

  /** No more retries. */
  close(): void {
    this.#isClosed = true;
    this.#cancelRetry();
  }

  /** Saves the scan index after the last scan. @throws what the state throws */
  saveAtEnd(): void {
    const { paths, index } = this.#options;
    if (!this.#isUnflushed) paths.save(index);
  }

  #waitsForOthers(): boolean {
    const { paths, clock } = this.#options;
    const now = clock.monotonic();
    if (this.whole && paths.hasMoving) {
      this.#waitingSince ??= now;
      if (now - this.#waitingSince < WHOLE_LIMIT) return true;
    }
    this.#waitingSince = undefined;
    return false;
  }

  #flushLater(): void {
    this.#cancelRetry();
    if (!this.#isClosed)
      this.#cancelRetry = this.#options.clock.after(FLUSH_RETRY, () => this.#options.soon());
  }
}
