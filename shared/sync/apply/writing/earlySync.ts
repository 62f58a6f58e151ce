import { fsync } from 'node:fs';
import { promisify } from 'node:util';

const fsyncAsync = promisify(fsync);
/** Bytes after which what was written is made durable. */
const SYNC_BYTES = 16 * 1024 * 1024;

/** One file at a time is synced early, in the whole program: a sync takes one of the four threads of Node's pool. */
let isSyncing = false;

/** Makes a file durable while it is still being written, so that little of a large one is left to be synced in the end. */
export class EarlySync {
  readonly #fd: number;
  #unsynced = 0;
  #syncing: Promise<void> = Promise.resolve();

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Bytes have been written. */
  wrote(bytes: number): void {
    this.#unsynced += bytes;
    if (this.#unsynced < SYNC_BYTES || isSyncing) return;
    isSyncing = true;
    this.#unsynced = 0;
    // Not after one that failed, whose error stays.
    this.#syncing = this.#syncing.then(() => fsyncAsync(this.#fd)).finally(() => (isSyncing = false));
    // Its error comes with `ended`.
    this.#syncing.catch(() => undefined);
  }

  /** Resolves when none is going on. @throws the error of one: the sync in the end may not see it */
  ended(): Promise<void> {
    return this.#syncing;
  }
}
