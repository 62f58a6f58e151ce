import { statfsSync } from 'node:fs';
import path from 'node:path';
import type { Logger } from '#host/log/logger.ts';
import type { Clock } from '#host/time/clock.ts';
import type { Database } from './database.ts';
import { StateError } from './stateError.ts';

/** Delay before writing the state is retried, milliseconds. */
export const STATE_RETRY = 5_000;
/** Least free space for the state to count as writable again, bytes. */
const SOME_ROOM = 256 * 1024;
/** Most writes that are queued; the oldest ones are dropped beyond that, since memory is limited. */
const MAX_WAITING = 10_000;

/** An error with one of the program's own files, for status. */
export type Trouble = { readonly at: string; readonly path: string; readonly message: string };

export type DeferredWriterOptions = {
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Logger;
  /** Called when the trouble begins or ends. */
  readonly onNews: () => void;
  /** Called when the state can be written again, so that failed work can be retried. */
  readonly onRecovered: () => void;
};

/**
 * Keeps the daemon running while its state can't be written (the disk is full, read-only or failing): logs that, queues
 * the writes, and detects when the disk works again.
 */
export class DeferredWriter {
  /** Why the state can't be written; undefined when it can. */
  trouble: Trouble | undefined;
  readonly #options: DeferredWriterOptions;
  readonly #waiting: (() => void)[] = [];
  #forgotten = 0;
  #cancelRetry: (() => void) | undefined;
  #closed = false;

  constructor(options: DeferredWriterOptions) {
    this.#options = options;
    options.db.onFailure((error) => this.#failed(error));
  }

  /** Runs a write as one transaction, now or as soon as possible. Writes keep their order. */
  write(work: () => void): void {
    // A late caller's write is dropped; the peer repeats the information at the next start.
    if (this.#closed) return;
    // The write is part of the transaction of the caller.
    if (this.#options.db.inTransaction) return work();
    this.#waiting.push(work);
    if (this.#waiting.length > MAX_WAITING) {
      this.#waiting.shift();
      this.#forgotten += 1;
    }
    if (this.#waiting.length === 1) this.#flush();
  }

  /** Runs a write as one transaction, or drops it when the state can't be written: for writes that are repeated anyway. */
  attempt(work: () => void): void {
    if (this.#closed) return;
    try {
      this.#options.db.transaction(work);
    } catch (error) {
      if (!(error instanceof StateError)) throw error;
    }
  }

  /** Makes a last attempt to run the queued writes, and drops the rest. */
  close(): void {
    this.#flush();
    this.#closed = true;
    this.#cancelRetry?.();
    this.#forgotten += this.#waiting.length;
    this.#logForgotten();
  }

  /** @returns true when the queue is empty */
  #flush(): boolean {
    const { db } = this.#options;
    for (let work = this.#waiting[0]; work !== undefined; work = this.#waiting[0]) {
      try {
        db.transaction(work);
      } catch (error) {
        if (error instanceof StateError) return false;
        this.#waiting.shift();
        throw error;
      }
      this.#waiting.shift();
    }
    return true;
  }

  #failed(error: unknown): void {
    if (!(error instanceof StateError) || this.#closed) return;
    const { db, clock, log, onNews } = this.#options;
    const { message } = error;
    if (this.trouble?.message !== message) {
      this.trouble = { at: new Date(clock.now()).toISOString(), path: db.file, message };
      log.error('the state can not be written; what needs it waits', { reason: message });
      onNews();
    }
    this.#retryLater();
  }

  #retryLater(): void {
    this.#cancelRetry ??= this.#options.clock.after(STATE_RETRY, () => this.#tryAgain());
  }

  #tryAgain(): void {
    this.#cancelRetry = undefined;
    const { db, clock, log, onNews, onRecovered } = this.#options;
    try {
      // First, since a large WAL may be what fills the disk.
      db.writeBackAll();
      if (!this.#flush()) return;
      db.setMeta('tried', String(clock.now()));
      if (hasRoom(db.file)) {
        this.trouble = undefined;
        log.info('the state can be written again');
        this.#logForgotten();
        onNews();
        onRecovered();
      }
    } catch (error) {
      if (!(error instanceof StateError)) log.error('the state could not be written', { error });
    } finally {
      if (this.trouble !== undefined) this.#retryLater();
    }
  }

  #logForgotten(): void {
    if (this.#forgotten > 0)
      this.#options.log.error('news was lost that could not be written down', { count: this.#forgotten });
    this.#forgotten = 0;
  }
}

function hasRoom(file: string): boolean {
  const { bavail, bsize } = statfsSync(path.dirname(file));
  return bavail * bsize >= SOME_ROOM;
}
