/** Rows that are added at a time. */
export const PART = 1 << 12;

/**
 * Rows of columns, by number, of which those that are not used any more are used again. The columns are made in parts, which
 * stay where they are when more are added, so growing copies nothing.
 */
export class Rows<Part> {
  readonly parts: Part[] = [];
  readonly #make: () => Part;
  readonly #free: number[] = [];
  #made = 0;

  /** @param make the columns of {@link PART} rows */
  constructor(make: () => Part) {
    this.#make = make;
  }

  /** Rows in use. */
  get size(): number {
    return this.#made - this.#free.length;
  }

  /** @returns a row that is not in use, with what it held last */
  take(): number {
    const row = this.#free.pop() ?? this.#made++;
    if (row === this.parts.length * PART) this.parts.push(this.#make());
    return row;
  }

  /** @param row from {@link take} */
  giveBack(row: number): void {
    this.#free.push(row);
  }

  /** The part that has a row, at its number modulo {@link PART}. @throws RangeError when there is no such row */
  partOf(row: number): Part {
    const part = this.parts[Math.trunc(row / PART)];
    if (part === undefined) throw new RangeError(`there is no row ${row}`);
    return part;
  }
}
