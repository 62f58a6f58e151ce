import type { Blocks } from './blocks.ts';

/** Lists that are remembered: at most 4,096 hashes of 32 characters each. */
const MOST = 32;

/**
 * The block lists of large files whose content has changed lately, by the hash of the whole file: the next change of such
 * a file needs no pass over it to find out what is in it. A list is a guess like any other: the whole file's hash decides.
 */
export class BlockLists {
  readonly #lists = new Map<string, Blocks>();

  add(hash: string, blocks: Blocks): void {
    this.#lists.delete(hash);
    this.#lists.set(hash, blocks);
    for (const oldest of this.#lists.keys()) {
      if (this.#lists.size <= MOST) break;
      this.#lists.delete(oldest);
    }
  }

  get(hash: string): Blocks | undefined {
    return this.#lists.get(hash);
  }

  /** Gives a list away: when it turns out wrong (a disk that forgets), the file is read again the next time. */
  take(hash: string): Blocks | undefined {
    const blocks = this.#lists.get(hash);
    this.#lists.delete(hash);
    return blocks;
  }
}
