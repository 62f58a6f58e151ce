import { MAX_BUCKETS, SHORT_DIGEST_BYTES, SHORT_DIGEST_CHARACTERS } from '#protocol/limits.ts';
import { DIGEST_BYTES, toggleInto } from './digest.ts';

const WORD_BYTES = Int32Array.BYTES_PER_ELEMENT;

/** Paths in a bucket of a table that is not larger than this times {@link MAX_BUCKETS}. */
const PATHS_IN_BUCKET = 32;

/** How many buckets a table of this size is compared in: a power of two. */
export function bucketsFor(paths: number): number {
  let count = 1;
  while (count < MAX_BUCKETS && count * PATHS_IN_BUCKET < paths) count *= 2;
  return count;
}

/** The bucket of a path. @param count the number of buckets, a power of two */
export function bucketOf(path: string, count: number): number {
  // FNV-1a over the code units.
  let hash = 0x811c9dc5;
  for (let at = 0; at < path.length; at++) hash = Math.imul(hash ^ path.charCodeAt(at), 0x01000193);
  return (hash ^ (hash >>> 15)) & (count - 1);
}

/**
 * The digests of a table of paths by bucket, so that two sides find out in which buckets they differ without sending the
 * tables. A digest is the XOR of those of its paths, so fewer and larger buckets are the XOR of smaller ones.
 */
export class BucketDigests {
  readonly #words = new Int32Array((MAX_BUCKETS * DIGEST_BYTES) / WORD_BYTES);
  readonly #sums = new Uint8Array(this.#words.buffer);

  /** Adds a path, or removes it when it is included already. @param one its digest */
  toggle(path: string, one: string): void {
    toggleInto(this.#sums, bucketOf(path, MAX_BUCKETS) * DIGEST_BYTES, one);
  }

  /** The digest of the whole table, in hexadecimal. */
  get whole(): string {
    return this.#fold(1).toString('hex');
  }

  /** The digests as they travel: base64 of the first 12 bytes of each. @param count a power of two */
  text(count: number): string {
    const folded = this.#fold(count);
    const parts = Array.from({ length: count }, (_, bucket) =>
      folded.toString('base64', bucket * DIGEST_BYTES, bucket * DIGEST_BYTES + SHORT_DIGEST_BYTES),
    );
    return parts.join('');
  }

  /**
   * The buckets that differ from the other side's, and the number of all.
   * @param theirs as from {@link text}
   * @returns undefined when that is not what this program sends
   */
  differing(theirs: string): { readonly count: number; readonly buckets: ReadonlySet<number> } | undefined {
    const count = theirs.length / SHORT_DIGEST_CHARACTERS;
    if (!Number.isInteger(count) || count < 1 || count > MAX_BUCKETS || (count & (count - 1)) !== 0)
      return undefined;
    const ours = this.text(count);
    const buckets = new Set<number>();
    for (let bucket = 0; bucket < count; bucket++) {
      const at = bucket * SHORT_DIGEST_CHARACTERS;
      if (ours.slice(at, at + SHORT_DIGEST_CHARACTERS) !== theirs.slice(at, at + SHORT_DIGEST_CHARACTERS))
        buckets.add(bucket);
    }
    return { count, buckets };
  }

  #fold(count: number): Buffer {
    // By words: Main does this for every change that it sends, and there are 64 KiB of sums, however few paths.
    const folded = new Int32Array((count * DIGEST_BYTES) / WORD_BYTES);
    const mask = folded.length - 1;
    for (let at = 0; at < this.#words.length; at++)
      folded[at & mask] = (folded[at & mask] ?? 0) ^ (this.#words[at] ?? 0);
    return Buffer.from(folded.buffer);
  }
}
