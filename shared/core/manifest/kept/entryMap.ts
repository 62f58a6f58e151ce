import type { Entry, FileEntry } from '../entry.ts';
import { filePool } from './filePool.ts';

/** Entries by path, to be read. */
export type Entries = Pick<ReadonlyMap<string, Entry>, 'get' | 'has' | 'keys' | 'size'> &
  Iterable<readonly [path: string, entry: Entry]>;

/**
 * Entries by path, or other things that are known of a path; an entry of a file is in the {@link filePool}, since there are as
 * many as files. What it returns is equal to what was set, not the same object.
 */
export class EntryMap<Other extends object = never> {
  /** The numbers of files' entries. */
  readonly #kept = new Map<string, number | Entry | Other>();

  constructor() {
    const kept = this.#kept;
    filePool.releaseWith(this, () => numbersIn(kept));
  }

  get size(): number {
    return this.#kept.size;
  }

  has(path: string): boolean {
    return this.#kept.has(path);
  }

  get(path: string): Entry | Other | undefined {
    const kept = this.#kept.get(path);
    return typeof kept === 'number' ? filePool.at(kept) : kept;
  }

  set(path: string, value: Entry | Other): void {
    const before = this.#kept.get(path);
    this.#kept.set(path, isFile(value) ? (filePool.keep(value) ?? value) : value);
    if (typeof before === 'number') filePool.release(before);
  }

  delete(path: string): void {
    const before = this.#kept.get(path);
    if (typeof before === 'number') filePool.release(before);
    this.#kept.delete(path);
  }

  /** Takes over the texts of paths from another table that has them, so that they are in memory once. */
  sharePaths(paths: Iterable<string>): void {
    for (const path of paths) {
      const kept = this.#kept.get(path);
      if (kept === undefined) continue;
      this.#kept.delete(path);
      this.#kept.set(path, kept);
    }
  }

  keys(): MapIterator<string> {
    return this.#kept.keys();
  }

  *[Symbol.iterator](): IterableIterator<[path: string, value: Entry | Other]> {
    for (const [path, kept] of this.#kept) yield [path, typeof kept === 'number' ? filePool.at(kept) : kept];
  }
}

function* numbersIn(kept: ReadonlyMap<string, unknown>): Iterable<number> {
  for (const value of kept.values()) if (typeof value === 'number') yield value;
}

function isFile(value: Entry | object): value is FileEntry {
  return 'type' in value && value.type === 'file';
}
