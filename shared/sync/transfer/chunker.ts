/** Chunk lengths for one size of file, bytes. */
export type ChunkLengths = { readonly least: number; readonly usual: number; readonly most: number };

const SMALLEST = 64 * 1024;
/** Largest usual length: a chunk is held in memory while it is hashed. */
const LARGEST = 256 * 1024;
/** Not a power of two: a file of a round size does not change its chunk lengths when a little is appended. */
const USUAL_CHUNKS = 24_000;

/**
 * Lengths of the chunks of a file of this size. Both sides use those of the new version, or nothing would match.
 * @returns undefined for a file that would have too many chunks (from 5.9 GiB)
 */
export function chunkLengths(size: number): ChunkLengths | undefined {
  let usual = SMALLEST;
  while (size / usual > USUAL_CHUNKS) usual *= 2;
  return usual > LARGEST ? undefined : { least: usual / 4, usual, most: usual * 4 };
}

/**
 * Random 32-bit numbers, one for each byte. Both sides need the same ones for ever: other numbers are another capability.
 * They come from the "lowbias32" mixer (Chris Wellons, "Prospecting for hash functions", 2018).
 */
const GEAR = Int32Array.from({ length: 256 }, (_, byte) => {
  let x = Math.imul(byte + 1, 0x9e37_79b9);
  x = Math.imul(x ^ (x >>> 16), 0x7feb_352d);
  x = Math.imul(x ^ (x >>> 15), 0x846c_a68b);
  return x ^ (x >>> 16);
});

/**
 * Divides content into chunks by what it is, not by where it is, so that bytes put in front or removed change only the
 * chunks around them.
 *
 * FastCDC with normalised chunking, level 2: W. Xia et al., "FastCDC: a Fast and Efficient Content-Defined Chunking
 * Approach for Data Deduplication", USENIX ATC 2016. A chunk ends where the upper bits of a gear hash of the last 32 bytes
 * are zero: two bits more than the usual length asks for up to that length, two bits fewer after it. Chunking starts again
 * at every boundary.
 */
export class Chunker {
  readonly #lengths: ChunkLengths;
  readonly #strict: number;
  readonly #loose: number;
  /** Bytes of the current chunk so far. */
  #length = 0;
  #hash = 0;

  constructor(lengths: ChunkLengths) {
    this.#lengths = lengths;
    const bits = Math.log2(lengths.usual);
    this.#strict = -1 << (32 - bits - 2);
    this.#loose = -1 << (32 - bits + 2);
  }

  /**
   * Looks for the end of the current chunk.
   * @param piece the next bytes of the content, from `start` on
   * @returns where the next chunk starts in the piece; undefined when the current one goes on after it
   */
  next(piece: Uint8Array, start: number): number | undefined {
    const { least, usual, most } = this.#lengths;
    const begin = start - this.#length;
    const end = piece.length;
    let at = Math.max(start, Math.min(end, begin + least));
    at = this.#find(piece, at, Math.min(end, begin + usual), this.#strict);
    if (at < 0) return this.#restart(-at);
    at = this.#find(piece, at, Math.min(end, begin + most), this.#loose);
    if (at < 0) return this.#restart(-at);
    if (at - begin >= most) return this.#restart(at);
    this.#length = at - begin;
    return undefined;
  }

  /** Starts a new chunk, at a boundary that is known otherwise. */
  restart(): void {
    this.#length = 0;
    this.#hash = 0;
  }

  #restart(at: number): number {
    this.restart();
    return at;
  }

  /** @returns minus the end of the chunk; `end`, or `at` if that is not before it, when the chunk goes on */
  #find(piece: Uint8Array, at: number, end: number, mask: number): number {
    let hash = this.#hash;
    for (let i = at; i < end; i++) {
      hash = ((hash << 1) + (GEAR[piece[i] as number] as number)) | 0;
      if ((hash & mask) === 0) return -(i + 1);
    }
    this.#hash = hash;
    return Math.max(at, end);
  }
}
