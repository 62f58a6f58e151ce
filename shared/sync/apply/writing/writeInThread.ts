import { closeSync, read } from 'node:fs';
import { promisify } from 'node:util';
import { EarlySync } from './earlySync.ts';
import type { Block, Holder } from '../thread/runningThread.ts';
import type { LentThread, StagingThread } from '../thread/stagingThread.ts';

const readAsync = promisify(read);

/**
 * Writes to an open file in another thread, which hashes what it writes: on the way of a large file, hashing takes as long as
 * all that this thread has to do with it.
 */
export class WriteInThread implements Holder {
  readonly #fd: number;
  readonly #early: EarlySync;
  readonly #lent: LentThread;
  #block: Block | undefined;
  #filled = 0;
  /** The pieces that are being written, together. */
  #writing: Promise<unknown> = Promise.resolve();
  #failure: { readonly error: unknown } | undefined;

  constructor(fd: number, thread: StagingThread) {
    this.#fd = fd;
    this.#early = new EarlySync(fd);
    this.#lent = thread.lend();
  }

  /**
   * Takes the next bytes. Until it resolves nothing else may be called; then their buffer may be used again.
   * @throws the error of an earlier piece
   */
  add(bytes: Uint8Array): Promise<void> | undefined {
    if (this.#failure !== undefined) throw this.#failure.error;
    const room = this.#block === undefined ? 0 : this.#block.bytes.length - this.#filled;
    if (bytes.length > room) return this.#addInPieces(bytes);
    this.#put(bytes);
    return undefined;
  }

  /**
   * Takes a piece of another open file, which is read into the memory of the thread. Until it resolves nothing else may be called.
   * @param at offset of the piece, bytes
   * @param end offset up to which there may be more, bytes
   * @returns the bytes of the piece; 0 when the other file ends before it
   * @throws the error of an earlier piece; Node's fs errors of the reading
   */
  async addFrom(from: number, at: number, end: number): Promise<number> {
    if (this.#failure !== undefined) throw this.#failure.error;
    const { bytes } = (this.#block ??= await this.#lent.thread.take());
    // Not while it is being filled from there.
    this.#lent.thread.noLongerHeld(this);
    let count = 0;
    try {
      const length = Math.min(bytes.length - this.#filled, end - at);
      ({ bytesRead: count } = await readAsync(from, bytes, this.#filled, length, at));
    } finally {
      this.#took(count);
    }
    return count;
  }

  sendNow(): void {
    this.#send();
  }

  /** Completes what was added. Resolves with its SHA-256, in hexadecimal. @throws the error of a piece, or of a sync */
  async flush(): Promise<string> {
    this.#send();
    await this.#writing;
    if (this.#failure !== undefined) throw this.#failure.error;
    const hash = await this.#lent.thread.endOf(this.#fd);
    await this.#early.ended();
    return hash;
  }

  /** Closes the file, once nothing is going on: before, its descriptor's number must not become another file's. */
  close(): void {
    this.#lent.thread.noLongerHeld(this);
    if (this.#block !== undefined) this.#lent.thread.giveBack(this.#block);
    this.#block = undefined;
    const end = (): void => {
      closeSync(this.#fd);
      this.#lent[Symbol.dispose]();
    };
    // What the thread knows of the file goes, too.
    const forgotten = this.#writing.then(() => this.#lent.thread.endOf(this.#fd));
    Promise.allSettled([forgotten, this.#early.ended()]).then(end, end);
  }

  async #addInPieces(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      this.#block ??= await this.#lent.thread.take();
      const piece = bytes.subarray(at, at + this.#block.bytes.length - this.#filled);
      this.#put(piece);
      at += piece.length;
    }
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  #put(bytes: Uint8Array): void {
    this.#block?.bytes.set(bytes, this.#filled);
    this.#took(bytes.length);
  }

  /** So many more bytes are in the block. */
  #took(bytes: number): void {
    this.#filled += bytes;
    if (this.#filled === this.#block?.bytes.length) this.#send();
    else this.#lent.thread.held(this);
  }

  #send(): void {
    this.#lent.thread.noLongerHeld(this);
    const [block, length] = [this.#block, this.#filled];
    this.#block = undefined;
    this.#filled = 0;
    if (block === undefined) return;
    if (length === 0) return this.#lent.thread.giveBack(block);
    const writing = this.#lent.thread.write(this.#fd, block, length).then(
      () => this.#early.wrote(length),
      (error: unknown) => (this.#failure ??= { error }),
    );
    // Pieces are written in their order.
    this.#writing = writing;
  }
}
