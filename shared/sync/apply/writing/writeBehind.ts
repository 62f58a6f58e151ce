import { Buffer } from 'node:buffer';
import { closeSync, read, write } from 'node:fs';
import { promisify } from 'node:util';
import { EarlySync } from './earlySync.ts';

const readAsync = promisify(read);
const writeAsync = promisify(write);
/** Bytes that are gathered for one write. */
export const PIECE_BYTES = 256 * 1024;
/** From this size on, a piece is written as it comes, which saves a copy, bytes. */
const LARGE = 128 * 1024;

/** The buffers of the last file, for the next one: with new ones for each, V8 would collect its whole heap every few files. */
const spare: Buffer[] = [];

/**
 * Writes to an open file in the thread pool: the next piece is gathered, and `take` is called with the one that is being
 * written. What has been written is made durable meanwhile, so that little of a large file is left to be synced in the end.
 */
export class WriteBehind {
  readonly #fd: number;
  readonly #take: (piece: Uint8Array) => void;
  /** The one that is being filled, and the one that may be in a write. */
  #buffers = [spare.pop(), spare.pop()];
  #filled = 0;
  #writing: Promise<void> = Promise.resolve();
  readonly #early: EarlySync;

  constructor(fd: number, take: (piece: Uint8Array) => void) {
    this.#fd = fd;
    this.#early = new EarlySync(fd);
    this.#take = take;
  }

  /**
   * Takes the next bytes. Until it resolves nothing else may be called; then their buffer may be used again.
   * @throws the error of an earlier write
   */
  add(bytes: Uint8Array): Promise<void> | undefined {
    if (bytes.length >= LARGE) return this.#addLarge(bytes);
    if (this.#filled + bytes.length > PIECE_BYTES)
      return this.#writeGathered().then(() => this.#gather(bytes));
    this.#gather(bytes);
    return undefined;
  }

  /**
   * Takes a piece of another open file. Until it resolves nothing else may be called.
   * @param at offset of the piece, bytes
   * @param end offset up to which there may be more, bytes
   * @returns the bytes of the piece; 0 when the other file ends before it
   * @throws the error of an earlier write; Node's fs errors of the reading
   */
  async addFrom(from: number, at: number, end: number): Promise<number> {
    if (this.#filled === PIECE_BYTES) await this.#writeGathered();
    const buffer = this.#gathering();
    const length = Math.min(PIECE_BYTES - this.#filled, end - at);
    const { bytesRead } = await readAsync(from, buffer, this.#filled, length, at);
    this.#filled += bytesRead;
    return bytesRead;
  }

  /** Writes what was gathered. @throws the error of a write, or of a sync: the one in the end may not see it */
  async flush(): Promise<void> {
    if (this.#filled > 0) await this.#writeGathered();
    await this.#writing;
    await this.#early.ended();
  }

  /** Closes the file, once nothing is going on: before, its descriptor's number must not become another file's. */
  close(): void {
    this.#filled = 0;
    const end = (): void => {
      closeSync(this.#fd);
      for (const buffer of this.#buffers) if (buffer !== undefined && spare.length < 2) spare.push(buffer);
    };
    Promise.allSettled([this.#writing, this.#early.ended()]).then(end, end);
  }

  #gather(bytes: Uint8Array): void {
    this.#gathering().set(bytes, this.#filled);
    this.#filled += bytes.length;
  }

  /** The buffer that is being filled. */
  #gathering(): Buffer {
    return (this.#buffers[0] ??= Buffer.allocUnsafeSlow(PIECE_BYTES));
  }

  async #writeGathered(): Promise<void> {
    const [gathered, written] = this.#buffers;
    const length = this.#filled;
    this.#filled = 0;
    this.#buffers = [written, gathered];
    if (gathered !== undefined) await this.#write(gathered.subarray(0, length));
  }

  async #addLarge(bytes: Uint8Array): Promise<void> {
    if (this.#filled > 0) await this.#writeGathered();
    await this.#write(bytes);
    await this.#writing;
  }

  /** Begins a write when the one before it has ended. */
  async #write(piece: Uint8Array): Promise<void> {
    await this.#writing;
    this.#writing = this.#writeAll(piece);
    // Its error comes with the next call.
    this.#writing.catch(() => undefined);
    this.#take(piece);
  }

  async #writeAll(piece: Uint8Array): Promise<void> {
    for (let at = 0; at < piece.length;) at += (await writeAsync(this.#fd, piece, at)).bytesWritten;
    this.#early.wrote(piece.length);
  }
}
