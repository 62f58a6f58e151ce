import { statfsSync } from 'node:fs';
import path from 'node:path';
import type { Logger } from '#host/log/logger.ts';
import type { Clock } from '#host/time/clock.ts';
import type { Database } from './database.ts';
import { StateError } from './stateError.ts';

/** A state that can't be written is tried again after this long, milliseconds. */
export const STATE_RETRY = 5_000;
/** Less free room than this, and the next larger write would fail as the last one did, bytes. */
const SOME_ROOM = 256 * 1024;
/** What waits to be written down at most; the oldest make room, since memory has an end. */
const MAX_WAITING = 10_000;

/** What is wrong with a file of this program's own, for status. */
export type Trouble = { readonly at: string; readonly path: string; readonly message: string };

export type DeferredWriterOptions = {
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Logger;
  /** The trouble came or went. */
  readonly onNews: () => void;
  /** The state can be written again: whoever failed may try again. */
  readonly onRecovered: () => void;
};

/**
 * Keeps the daemon going while its state can't be written (the disk is full, read-only or fails): says so, writes
 * down later what happened meanwhile, and notices by itself when the disk is well again.
 */
export class DeferredWriter {
  /** Why the state can't be written, if so. */
  trouble: Trouble | undefined;
  readonly #options: DeferredWriterOptions;
  readonly #waiting: (() => void)[] = [];
  #forgotten = 0;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: DeferredWriterOptions) {
    this.#options = options;
    options.db.onFailure((error) => this.#failed(error));
  }

  /** Writes it as one transaction: now, or as soon as that can be done. What was to be written first is. */
  write(work: () => void): void {
    // Who is late has nothing to write into any more: what it knows is heard anew at the next start.
    if (this.#closed) return;
    // Then it comes to pass or not with that.
    if (this.#options.db.inTransaction) return work();
    this.#waiting.push(work);
    if (this.#waiting.length > MAX_WAITING) {
      this.#waiting.shift();
      this.#forgotten += 1;
    }
    if (this.#waiting.length === 1) this.#flush();
  }

  /** Writes it as one transaction, or not at all when the state can't be written: for what comes again by itself. */
  attempt(work: () => void): void {
    if (this.#closed) return;
    try {
      this.#options.db.transaction(work);
    } catch (error) {
      if (!(error instanceof StateError)) throw error;
    }
  }

  /** Writes what is still to be written, for the last time. */
  close(): void {
    this.#flush();
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#forgotten += this.#waiting.length;
    this.#logForgotten();
  }

  /** @returns whether nothing is left to be written */
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
    this.#timer ??= setTimeout(() => this.#tryAgain(), STATE_RETRY);
  }

  #tryAgain(): void {
    this.#timer = undefined;
    const { db, clock, log, onNews, onRecovered } = this.#options;
    try {
      // First: what waits to be written back may be all that takes the room.
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
      if (this.trouble !== undefined) this.#timer ??= setTimeout(() => this.#tryAgain(), STATE_RETRY);
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
