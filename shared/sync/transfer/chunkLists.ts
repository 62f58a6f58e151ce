import type { ChunkList } from './chunkList.ts';

/** Lists that are kept between runs. */
export interface KeptLists {
  get(hash: string): ChunkList | undefined;
  add(hash: string, list: ChunkList): void;
}

/** Most bytes of all lists that are remembered: those of about 20 files of 512 MiB. */
const MOST_BYTES = 4 * 1024 * 1024;
/** Of these, what may be taken up by files that have never changed. */
const UNCHANGED_BYTES = (MOST_BYTES * 3) / 4;
/** Most hashes that are remembered as mistrusted. */
const MOST_MISTRUSTED = 1_000;

/**
 * The chunk lists of large files, by the hash of the whole file, first of all of those that have changed lately: the next change of such
 * a file needs no pass over it to find out what is in it. A list is a guess like any other: the whole file's hash decides.
 */
export class ChunkLists {
  readonly #lists = new Map<string, ChunkList>();
  #kept: KeptLists | undefined;
  #bytes = 0;
  /** Contents that were put together wrongly. */
  readonly #mistrusted = new Set<string>();

  /** From now on they are kept there, too. */
  keepIn(kept: KeptLists): void {
    this.#kept = kept;
  }

  add(hash: string, list: ChunkList): void {
    this.#remember(hash, list);
    this.#kept?.add(hash, list);
  }

  #remember(hash: string, list: ChunkList): void {
    this.take(hash);
    this.#lists.set(hash, list);
    this.#bytes += bytesOf(list);
    for (const oldest of this.#lists.keys()) {
      if (this.#bytes <= MOST_BYTES) break;
      this.take(oldest);
    }
  }

  /** Whether there is room for a file that may never change. */
  get haveRoom(): boolean {
    return this.#bytes < UNCHANGED_BYTES;
  }

  get(hash: string): ChunkList | undefined {
    const known = this.#lists.get(hash);
    if (known !== undefined) return known;
    const kept = this.#kept?.get(hash);
    if (kept !== undefined) this.#remember(hash, kept);
    return kept;
  }

  /** Gives a list away: when it turns out wrong (a disk that forgets), the file is read again the next time. */
  take(hash: string): ChunkList | undefined {
    const list = this.#lists.get(hash);
    if (list === undefined) return undefined;
    this.#lists.delete(hash);
    this.#bytes -= bytesOf(list);
    return list;
  }

  /**
   * What was put together for this content was something else: two chunks have the same digest, or the other side is
   * wrong. The next time all of it is asked for, or the same would happen again without an end.
   */
  mistrust(hash: string): void {
    this.#mistrusted.add(hash);
    for (const oldest of this.#mistrusted) {
      if (this.#mistrusted.size <= MOST_MISTRUSTED) break;
      this.#mistrusted.delete(oldest);
    }
  }

  /** Whether all of this content has to be sent. */
  isMistrusted(hash: string): boolean {
    return this.#mistrusted.has(hash);
  }
}

/** Bytes that a list takes up. */
export function bytesOf({ digests, lengths, checks }: ChunkList): number {
  return digests.length + lengths.byteLength + (checks?.byteLength ?? 0);
}
