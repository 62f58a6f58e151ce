import type { FileEntry } from '../entry.ts';
import type { FileTime } from '../fileTime.ts';
import { FileColumns } from './fileColumns.ts';

/** Slots of an empty table; a power of two, as all its later sizes. */
const LEAST_SLOTS = 1 << 10;
const EMPTY = -1;
/** Entries that are at hand as objects, a power of two: more than are considered for the next change sets. */
const AT_HAND = 1 << 13;

/**
 * The entries of files that this process keeps, each once, however many tables of paths it is in: what a scan found, what
 * Main's manifest lists and what both sides agreed on are the same for nearly every file. An entry is known by its number
 * (interning), which stays its own until as many have released it as have asked for it.
 */
export class FilePool {
  readonly #columns = new FileColumns();
  /** Numbers by {@link FileColumns.placeOf}, with open addressing and linear probing. */
  #slots = new Int32Array(LEAST_SLOTS).fill(EMPTY);
  /** The entries that were asked for last, by the last digits of their numbers: in a change set each is, a dozen times. */
  readonly #atHand: (FileEntry | undefined)[] = Array.from({ length: AT_HAND }, () => undefined);
  /** Their numbers. */
  readonly #numbersAtHand = new Int32Array(AT_HAND).fill(EMPTY);
  /** What was kept or asked for last: most that is kept was asked for just before, for another table. */
  #last: FileEntry | undefined;
  #lastNumber = EMPTY;
  readonly #discarded = new FinalizationRegistry<() => Iterable<number>>((numbers) => {
    for (const number of numbers()) this.release(number);
  });

  /** Entries that are kept. */
  get size(): number {
    return this.#columns.size;
  }

  /** Keeps an entry. @returns its number, or undefined when it has to be kept as an object */
  keep(entry: FileEntry): number | undefined {
    if (entry === this.#last) {
      this.#columns.use(this.#lastNumber, 1);
      return this.#lastNumber;
    }
    if (!this.#columns.pack(entry)) return undefined;
    let slot = this.#home(this.#columns.placeOfPacked);
    for (let number = this.#slots[slot] ?? EMPTY; number !== EMPTY; number = this.#slots[slot] ?? EMPTY) {
      if (this.#columns.equals(number)) {
        this.#columns.use(number, 1);
        return number;
      }
      slot = this.#next(slot);
    }
    const number = this.#columns.add();
    this.#slots[slot] = number;
    if (this.size * 2 > this.#slots.length) this.#grow();
    return number;
  }

  /** @param number from {@link keep} */
  release(number: number): void {
    if (this.#columns.use(number, -1) > 0) return;
    this.#clear(number);
    this.#columns.remove(number);
    if (this.#lastNumber === number) this.#last = undefined;
    if (this.#numbersAtHand[number % AT_HAND] === number) this.#atHand[number % AT_HAND] = undefined;
  }

  /** The entry with this number. */
  at(number: number): FileEntry {
    const place = number % AT_HAND;
    let entry = this.#numbersAtHand[place] === number ? this.#atHand[place] : undefined;
    if (entry === undefined) {
      entry = this.#columns.entry(number);
      this.#atHand[place] = entry;
      this.#numbersAtHand[place] = number;
    }
    this.#last = entry;
    this.#lastNumber = number;
    return entry;
  }

  /** The size of the file with this number, bytes. */
  sizeOf(number: number): number {
    return this.#columns.sizeOf(number);
  }

  /** True when the entry with this number has this size and time. */
  isOf(number: number, size: number, mtime: FileTime): boolean {
    return this.#columns.isOf(number, size, mtime);
  }

  /** A test of many entries for some contents, empty ones aside, for which no object is made. It may say yes to others. */
  mayHold(hashes: ReadonlySet<string>): (number: number) => boolean {
    const words = new Set(Array.from(hashes, (hash) => Buffer.from(hash.slice(0, 8), 'hex').readInt32LE()));
    return (number) => this.#columns.sizeOf(number) > 0 && words.has(this.#columns.hashWord(number));
  }

  /** Releases numbers once the object that kept them is collected, without which it could not be discarded. */
  releaseWith(keeper: object, numbers: () => Iterable<number>): void {
    this.#discarded.register(keeper, numbers);
  }

  #home(place: number): number {
    return place & (this.#slots.length - 1);
  }

  #next(slot: number): number {
    return (slot + 1) & (this.#slots.length - 1);
  }

  /** Empties a number's slot, and moves back what stands behind it only because that was taken (Knuth, 6.4, algorithm R). */
  #clear(number: number): void {
    let hole = this.#home(this.#columns.placeOf(number));
    while (this.#slots[hole] !== number) hole = this.#next(hole);
    for (let slot = this.#next(hole); ; slot = this.#next(slot)) {
      const other = this.#slots[slot] ?? EMPTY;
      if (other === EMPTY) break;
      const home = this.#home(this.#columns.placeOf(other));
      const mask = this.#slots.length - 1;
      if (((slot - home) & mask) < ((slot - hole) & mask)) continue;
      this.#slots[hole] = other;
      hole = slot;
    }
    this.#slots[hole] = EMPTY;
  }

  #grow(): void {
    const before = this.#slots;
    this.#slots = new Int32Array(before.length * 2).fill(EMPTY);
    for (const number of before) {
      if (number === EMPTY) continue;
      let slot = this.#home(this.#columns.placeOf(number));
      while (this.#slots[slot] !== EMPTY) slot = this.#next(slot);
      this.#slots[slot] = number;
    }
  }
}

/** That of this process. */
export const filePool = new FilePool();
