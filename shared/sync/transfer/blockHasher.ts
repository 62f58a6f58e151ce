import { Buffer } from 'node:buffer';
import { blockLength, type Blocks } from './blocks.ts';

/** Larger blocks are not held in memory. */
const LARGEST = 1024 * 1024;

/**
 * Hashes a file block by block while its bytes pass by, in Node's thread pool, so that the pass in which the thread hashes
 * the whole file gives the list of its blocks, too.
 */
export class BlockHasher {
  readonly #size: number;
  readonly #block: number;
  readonly #hashes: Promise<string>[] = [];
  /** The block that is not complete. */
  #partial: Buffer | undefined;
  #filled = 0;
  #seen = 0;

  private constructor(size: number, block: number) {
    this.#size = size;
    this.#block = block;
  }

  /** @param size bytes of the file @returns undefined for a file whose blocks are too long for this */
  static of(size: number): BlockHasher | undefined {
    const block = blockLength(size);
    return block > LARGEST ? undefined : new BlockHasher(size, block);
  }

  /** Takes the next bytes. The caller may overwrite them at once: a digest copies its input before it returns. */
  add(piece: Uint8Array): void {
    this.#seen += piece.length;
    for (let at = 0; at < piece.length;) {
      const wanted = this.#block - this.#filled;
      const part = piece.subarray(at, at + wanted);
      at += part.length;
      if (part.length === this.#block) this.#digest(part);
      else this.#collect(part);
    }
  }

  /** Resolves when the thread pool has caught up. */
  async caughtUp(): Promise<void> {
    await this.#hashes.at(-1)?.catch(() => undefined);
  }

  /** The list; undefined when fewer or more bytes came than the file was said to have. */
  async end(): Promise<Blocks | undefined> {
    if (this.#partial !== undefined && this.#filled > 0)
      this.#digest(this.#partial.subarray(0, this.#filled));
    this.#partial = undefined;
    const hashes = await Promise.all(this.#hashes);
    return this.#seen === this.#size ? { block: this.#block, hashes } : undefined;
  }

  #collect(part: Uint8Array): void {
    this.#partial ??= Buffer.allocUnsafe(this.#block);
    this.#partial.set(part, this.#filled);
    this.#filled += part.length;
    if (this.#filled < this.#block) return;
    this.#digest(this.#partial);
    this.#filled = 0;
  }

  #digest(block: Uint8Array): void {
    const hash = crypto.subtle
      .digest('SHA-256', block as Uint8Array<ArrayBuffer>)
      .then((digest) => Buffer.from(digest, 0, 16).toString('hex'));
    // Its error comes with the end.
    hash.catch(() => undefined);
    this.#hashes.push(hash);
  }
}
