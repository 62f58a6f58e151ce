import { Buffer } from 'node:buffer';
import { MAX_CHUNKS, SHORT_DIGEST_BYTES, SHORT_DIGEST_CHARACTERS } from '#protocol/limits.ts';
import { readAhead } from '#host/fs/readAhead.ts';
import { Chunker, type ChunkLengths, chunkLengths } from './chunker.ts';

const READ = 1024 * 1024;

/** The chunks of one version of a file, in order, as many as may be named. A guess: the whole file's hash decides. */
export type ChunkList = {
  /** The usual length of a chunk for which it was made: lists of another one have nothing in common with it. */
  readonly usual: number;
  /** The digest of each chunk, in base64, without separators. */
  readonly digests: string;
  /** The length of each chunk, bytes. */
  readonly lengths: Uint32Array;
};

/**
 * Lists the chunks of a file while its bytes pass by. Digests are made in Node's thread pool, so that the pass in which
 * the thread hashes the whole file gives the list, too.
 */
export class ChunkLister {
  readonly #size: number;
  readonly #lengths: ChunkLengths;
  readonly #chunker: Chunker;
  readonly #digests: Promise<string>[] = [];
  readonly #listed: number[] = [];
  /** The beginning of the current chunk, if it came in an earlier piece. */
  #partial: Buffer | undefined;
  #filled = 0;
  #seen = 0;
  #last: Promise<unknown> | undefined;
  /** The last digest of the piece before the last one. */
  #beforeLast: Promise<unknown> | undefined;

  private constructor(size: number, lengths: ChunkLengths) {
    this.#size = size;
    this.#lengths = lengths;
    this.#chunker = new Chunker(lengths);
  }

  /**
   * @param size bytes of the file
   * @param like size of the other version, for which it is listed: both sides list for the new one
   * @returns undefined for a file that is too large for this
   */
  static of(size: number, like = size): ChunkLister | undefined {
    const lengths = chunkLengths(like);
    return lengths && new ChunkLister(size, lengths);
  }

  /** Takes the next bytes. The caller may overwrite them at once: a digest copies its input before it returns. */
  add(piece: Uint8Array): void {
    this.#seen += piece.length;
    for (let at = 0; at < piece.length && this.#listed.length < MAX_CHUNKS;) {
      const next = this.#chunker.next(piece, at);
      const part = piece.subarray(at, next);
      if (next !== undefined && this.#filled === 0) this.#list(part);
      else this.#collect(part);
      if (next === undefined) return;
      this.#endChunk();
      at = next;
    }
  }

  /** Takes over chunks of another list: the file goes on with their content. */
  addListed(list: ChunkList, first: number, count: number): void {
    this.#endChunk();
    this.#chunker.restart();
    for (let number = first; number < first + count; number++) {
      const length = list.lengths[number] ?? 0;
      this.#seen += length;
      if (this.#listed.length >= MAX_CHUNKS) continue;
      this.#digests.push(Promise.resolve(digestAt(list.digests, number)));
      this.#listed.push(length);
    }
  }

  /** Resolves when the thread pool is no more than a piece behind; to be called after each. */
  async caughtUp(): Promise<void> {
    const before = this.#beforeLast;
    this.#beforeLast = this.#last;
    await before?.catch(() => undefined);
  }

  /**
   * The list; undefined when fewer or more bytes came than the file was said to have.
   * @throws an error of the digests, which has no cause that is known
   */
  async end(): Promise<ChunkList | undefined> {
    this.#endChunk();
    this.#partial = undefined;
    const digests = (await Promise.all(this.#digests)).join('');
    if (this.#seen !== this.#size) return undefined;
    return { usual: this.#lengths.usual, digests, lengths: Uint32Array.from(this.#listed) };
  }

  #collect(part: Uint8Array): void {
    this.#partial ??= Buffer.allocUnsafe(this.#lengths.most);
    this.#partial.set(part, this.#filled);
    this.#filled += part.length;
  }

  /** Lists what was collected. */
  #endChunk(): void {
    if (this.#partial === undefined || this.#filled === 0) return;
    const chunk = this.#partial.subarray(0, this.#filled);
    this.#filled = 0;
    if (this.#listed.length < MAX_CHUNKS) this.#list(chunk);
  }

  #list(chunk: Uint8Array): void {
    const digest = crypto.subtle
      .digest('SHA-256', chunk as Uint8Array<ArrayBuffer>)
      .then((hash) => Buffer.from(hash, 0, SHORT_DIGEST_BYTES).toString('base64'));
    // Its error comes with the end.
    digest.catch(() => undefined);
    this.#last = digest;
    this.#digests.push(digest);
    this.#listed.push(chunk.length);
  }
}

/** The digest of a chunk, by its number. */
export function digestAt(digests: string, number: number): string {
  return digests.slice(number * SHORT_DIGEST_CHARACTERS, (number + 1) * SHORT_DIGEST_CHARACTERS);
}

/**
 * Lists the chunks of an open file.
 * @param size its bytes
 * @param like size of the new version, bytes
 * @returns undefined when it is too large for this, or has another size by now
 * @throws Node's fs errors
 */
export async function listChunks(fd: number, size: number, like = size): Promise<ChunkList | undefined> {
  const lister = ChunkLister.of(size, like);
  if (lister === undefined) return undefined;
  for await (const piece of readAhead(fd, { end: size, most: READ })) {
    lister.add(piece);
    await lister.caughtUp();
  }
  return lister.end();
}
