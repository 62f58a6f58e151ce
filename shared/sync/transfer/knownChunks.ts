import zlib from 'node:zlib';

/**
 * A cheap checksum by which a chunk of the version before is known again, eight times as fast as its digest and its boundary.
 * It is a guess like the whole list: where it is wrong, which for a changed chunk happens once in 2^32, the whole file's hash
 * is, too, and the file is sent whole.
 */
export function checkOf(chunk: Uint8Array): number {
  return zlib.crc32(chunk);
}

/**
 * The chunks of the version before, but for the last one, which ends where the file did. As long as nothing has changed, the
 * next chunk of the new version is the next of these: its boundary is where its content says.
 */
export class KnownChunks {
  readonly #lengths: Uint32Array;
  readonly #checks: Uint32Array;
  /** Numbers by checksum. */
  readonly #places: ReadonlyMap<number, number>;
  /** The one that is expected next; undefined once something differs, until one of these is found again. */
  #next: number | undefined = 0;

  /** @param lengths of the chunks, bytes */
  constructor(lengths: Uint32Array, checks: Uint32Array) {
    this.#lengths = lengths;
    this.#checks = checks;
    this.#places = new Map(Array.from(checks.subarray(0, -1), (check, number) => [check, number]));
  }

  /** Bytes of the current chunk if nothing has changed; undefined when something has, or the version before ends here. */
  get expectedLength(): number | undefined {
    const number = this.#next;
    return number !== undefined && number < this.#checks.length - 1 ? this.#lengths[number] : undefined;
  }

  /** @returns the number of the expected chunk, if these bytes are it; otherwise nothing is expected any more */
  takeExpected(bytes: Uint8Array): number | undefined {
    const number = this.#next;
    this.#next = undefined;
    return number !== undefined && checkOf(bytes) === this.#checks[number] ? this.#take(number) : undefined;
  }

  /** Nothing is expected of the current chunk any more. */
  giveUp(): void {
    this.#next = undefined;
  }

  /** The number of a chunk whose boundary was found otherwise, if it is known. */
  find(check: number, length: number): number | undefined {
    const number = this.#places.get(check);
    return number !== undefined && this.#lengths[number] === length ? this.#take(number) : undefined;
  }

  #take(number: number): number {
    this.#next = number + 1;
    return number;
  }
}
