import { Buffer } from 'node:buffer';
import type { Clock } from '#host/time/clock.ts';

/** Bytes of parts that are kept for others, over all lists and directories; none while there is only one reader. */
const MOST_BYTES = 24 * 1024 * 1024;
/** How long they are kept after their last use, milliseconds. */
const KEEP = 5_000;

/** A part of an archive. */
export type ArchivePart = {
  readonly bytes: Buffer;
  /** True when every file in it could be read. Only then may it be given to another reader. */
  readonly isWhole: boolean;
};

/**
 * Parts of archives that several MDS request at about the same time: the first one has a part packed, and the others get
 * the same bytes, each at its own pace. No reader waits for another one's connection. A reader that comes too late for
 * what is kept has the part packed again.
 */
export class ArchiveParts {
  readonly #clock: Clock;
  readonly #most: number;
  /** The least recently used first. */
  readonly #parts = new Map<string, ArchivePart>();
  readonly #beingPacked = new Map<string, Promise<ArchivePart>>();
  /** All that have requested a part since nothing was kept. */
  readonly #readers = new Set<string>();
  #bytes = 0;
  #cancelClear: (() => void) | undefined;

  constructor(clock: Clock, most = MOST_BYTES) {
    this.#clock = clock;
    this.#most = most;
  }

  /** Bytes that are kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * @param key identifies the files in their versions, and how they are packed
   * @param reader the MDS that requests it
   * @throws what `pack` throws for this reader
   */
  async get(key: string, reader: string, pack: () => Promise<ArchivePart>): Promise<ArchivePart> {
    this.#readers.add(reader);
    const known = this.#parts.get(key);
    if (known !== undefined) {
      this.#keep(key, known);
      return known;
    }
    const theirs = this.#beingPacked.get(key);
    if (theirs !== undefined) {
      // An error of another reader's is not this one's.
      const part = await theirs.catch(() => undefined);
      return part?.isWhole === true ? part : pack();
    }
    const packing = pack();
    this.#beingPacked.set(key, packing);
    try {
      const part = await packing;
      if (part.isWhole) this.#keep(key, part);
      return part;
    } finally {
      this.#beingPacked.delete(key);
    }
  }

  /** Drops everything. */
  clear(): void {
    this.#cancelClear?.();
    this.#cancelClear = undefined;
    this.#parts.clear();
    this.#readers.clear();
    this.#bytes = 0;
  }

  #keep(key: string, part: ArchivePart): void {
    if (this.#parts.delete(key)) this.#bytes -= part.bytes.length;
    if (this.#readers.size > 1) {
      this.#parts.set(key, part);
      this.#bytes += part.bytes.length;
    }
    for (const [oldest, { bytes }] of this.#parts) {
      if (this.#bytes <= this.#most) break;
      this.#parts.delete(oldest);
      this.#bytes -= bytes.length;
    }
    this.#cancelClear?.();
    this.#cancelClear = this.#clock.after(KEEP, () => this.clear());
  }
}
