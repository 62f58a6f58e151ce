import { Buffer } from 'node:buffer';
import { MAX_CHUNKS, SHORT_DIGEST_BYTES, SHORT_DIGEST_CHARACTERS } from '#protocol/limits.ts';
import { readAhead } from '#host/fs/readAhead.ts';
import { Chunker, type ChunkLengths, chunkLengths } from './chunker.ts';
import { checkOf, KnownChunks } from './knownChunks.ts';

/** The chunks of one version of a file, in order, as many as may be named. A guess: the whole file's hash decides. */
export type ChunkList = {
  /** The usual length of a chunk for which it was made: lists of another one have nothing in common with it. */
  readonly usual: number;
  /** The digest of each chunk, in base64, without separators. */
  readonly digests: string;
  /** The length of each chunk, bytes. */
  readonly lengths: Uint32Array;
  /** The checksum of each chunk, by which it is known again in the next version; absent where there will be none. */
  readonly checks?: Uint32Array;
};

type Following = { readonly before?: ChunkList | undefined; readonly isChecked?: boolean };

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
  readonly #checks: number[] | undefined;
  /** The list of the version before. */
  readonly #before: ChunkList | undefined;
  readonly #known: KnownChunks | undefined;
  /** The beginning of the current chunk, if it came in an earlier piece. */
  #partial: Buffer | undefined;
  #filled = 0;
  #seen = 0;
  #last: Promise<unknown> | undefined;
  /** The last digest of the piece before the last one. */
  #beforeLast: Promise<unknown> | undefined;

  private constructor(size: number, lengths: ChunkLengths, { before, isChecked = false }: Following = {}) {
    this.#size = size;
    this.#lengths = lengths;
    this.#chunker = new Chunker(lengths);
    if (isChecked) this.#checks = [];
    if (before?.checks === undefined || before.usual !== lengths.usual) return;
    this.#before = before;
    this.#known = new KnownChunks(before.lengths, before.checks);
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

  /**
   * The same for a file whose next version will be listed, too.
   * @param before the chunks of its last version, if they are known: only what differs is divided and digested
   */
  static following(size: number, before: ChunkList | undefined): ChunkLister | undefined {
    const lengths = chunkLengths(size);
    return lengths && new ChunkLister(size, lengths, { before, isChecked: true });
  }

  /** Takes the next bytes. The caller may overwrite them at once: a digest copies its input before it returns. */
  add(piece: Uint8Array): void {
    this.#seen += piece.length;
    this.#divide(piece);
  }

  #divide(piece: Uint8Array): void {
    for (let at = 0; at < piece.length && this.#listed.length < MAX_CHUNKS;) {
      const length = this.#known?.expectedLength;
      if (this.#known === undefined || length === undefined) at = this.#search(piece, at);
      else at = this.#compare(this.#known, length, piece, at);
    }
  }

  /** Looks for the end of the current chunk. @returns where the bytes that were not taken start */
  #search(piece: Uint8Array, at: number): number {
    const next = this.#chunker.next(piece, at);
    const part = piece.subarray(at, next);
    if (next !== undefined && this.#filled === 0) this.#list(part);
    else this.#collect(part);
    if (next === undefined) return piece.length;
    this.#endChunk();
    return next;
  }

  /** Compares with the chunk that is expected. @returns where the bytes that were not taken start */
  #compare(known: KnownChunks, length: number, piece: Uint8Array, at: number): number {
    const end = at + length - this.#filled;
    if (end > piece.length || this.#filled > 0) this.#collect(piece.subarray(at, end));
    if (end > piece.length) return piece.length;
    const isCollected = this.#filled > 0;
    const bytes = isCollected ? this.#takeCollected() : piece.subarray(at, end);
    const same = known.takeExpected(bytes);
    if (same !== undefined) this.#takeOver(this.#before, same);
    // What remains of it is moved to the front of the same buffer.
    else if (isCollected) this.#divide(bytes);
    else return at;
    return end;
  }

  /** Takes over chunks of another list: the file goes on with their content. */
  addListed(list: ChunkList, first: number, count: number): void {
    this.#endChunk();
    this.#chunker.restart();
    for (let number = first; number < first + count; number++) {
      this.#seen += list.lengths[number] ?? 0;
      if (this.#listed.length < MAX_CHUNKS) this.#takeOver(list, number);
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
    const checks = this.#checks && { checks: Uint32Array.from(this.#checks) };
    return { usual: this.#lengths.usual, digests, lengths: Uint32Array.from(this.#listed), ...checks };
  }

  #collect(part: Uint8Array): void {
    this.#partial ??= Buffer.allocUnsafe(this.#lengths.most);
    this.#partial.set(part, this.#filled);
    this.#filled += part.length;
  }

  #takeCollected(): Uint8Array {
    const collected = this.#partial?.subarray(0, this.#filled) ?? new Uint8Array();
    this.#filled = 0;
    return collected;
  }

  /** Lists what was collected. */
  #endChunk(): void {
    // What was collected for a comparison may hold the end of a chunk.
    while (this.#filled > 0 && this.#known?.expectedLength !== undefined) {
      this.#known.giveUp();
      this.#divide(this.#takeCollected());
    }
    if (this.#filled > 0 && this.#listed.length < MAX_CHUNKS) this.#list(this.#takeCollected());
    this.#filled = 0;
  }

  #list(chunk: Uint8Array): void {
    const check = this.#checks && checkOf(chunk);
    const same = check === undefined ? undefined : this.#known?.find(check, chunk.length);
    if (same !== undefined) return this.#takeOver(this.#before, same);
    const digest = crypto.subtle
      .digest('SHA-256', chunk as Uint8Array<ArrayBuffer>)
      .then((hash) => Buffer.from(hash, 0, SHORT_DIGEST_BYTES).toString('base64'));
    // Its error comes with the end.
    digest.catch(() => undefined);
    this.#last = digest;
    this.#enter(digest, chunk.length, check);
  }

  #takeOver(list: ChunkList | undefined, number: number): void {
    const digest = Promise.resolve(digestAt(list?.digests ?? '', number));
    this.#enter(digest, list?.lengths[number] ?? 0, list?.checks?.[number]);
  }

  #enter(digest: Promise<string>, length: number, check = 0): void {
    this.#digests.push(digest);
    this.#listed.push(length);
    this.#checks?.push(check);
  }
}

/** The digest of a chunk, by its number. */
export function digestAt(digests: string, number: number): string {
  return digests.slice(number * SHORT_DIGEST_CHARACTERS, (number + 1) * SHORT_DIGEST_CHARACTERS);
}

/**
 * Lists the chunks of an open file.
 * @param size its bytes
 * @param signal ends the reading
 * @param like size of the new version, bytes
 * @returns undefined when it is too large for this, or has another size by now
 * @throws Node's fs errors; the reason of the signal
 */
export async function listChunks(
  fd: number,
  size: number,
  signal: AbortSignal,
  like = size,
): Promise<ChunkList | undefined> {
  const lister = ChunkLister.of(size, like);
  return lister && listWith(lister, fd, size, () => signal.throwIfAborted());
}

/**
 * Has a lister read an open file.
 * @param size its bytes
 * @param onPiece called before each piece is listed; an error of it ends the reading
 * @returns undefined when it has another size by now
 * @throws Node's fs errors; errors of `onPiece`
 */
export async function listWith(
  lister: ChunkLister,
  fd: number,
  size: number,
  onPiece: () => void,
): Promise<ChunkList | undefined> {
  for await (const piece of readAhead(fd, { end: size })) {
    onPiece();
    lister.add(piece);
    await lister.caughtUp();
  }
  return lister.end();
}
