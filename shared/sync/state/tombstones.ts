import type { Entry } from '#core/manifest/entry.ts';
import type { Database } from './database.ts';
import { PathTable } from './pathTable.ts';
import { StateError } from './stateError.ts';

/** Lifetime of a tombstone, milliseconds. Afterwards an MDS that still has the file counts as having a new one. */
const KEEP = 180 * 24 * 3_600_000;

/** The tombstones of a two-way directory: entries whose removal Main saw, so that no MDS brings them back. */
export class Tombstones {
  readonly entries = new Map<string, Entry>();
  readonly #db: Database;
  readonly #table: PathTable;

  constructor(db: Database, directory: string, now: number) {
    this.#db = db;
    this.#table = new PathTable(db, 'tombstones', directory);
    const oldest = now - KEEP;
    const old: string[] = [];
    for (const { path, entry, extra } of this.#table.rows()) {
      if (Number(extra) < oldest) old.push(path);
      else this.entries.set(path, entry);
    }
    // If this can't be written now, the next start does it.
    unlessStateFails(() => db.transaction(() => old.forEach((path) => this.#table.delete(path))));
  }

  set(path: string, entry: Entry, now: number): void {
    this.#table.set(path, entry, now);
    this.#change(path, entry);
  }

  delete(path: string): void {
    if (!this.entries.has(path)) return;
    this.#table.delete(path);
    this.#change(path, undefined);
  }

  #change(path: string, entry: Entry | undefined): void {
    const before = this.entries.get(path);
    this.#put(path, entry);
    this.#db.onRollback(() => this.#put(path, before));
  }

  #put(path: string, entry: Entry | undefined): void {
    if (entry === undefined) this.entries.delete(path);
    else this.entries.set(path, entry);
  }
}

function unlessStateFails(write: () => void): void {
  try {
    write();
  } catch (error) {
    if (!(error instanceof StateError)) throw error;
  }
}
