import type { Entry } from '../manifest/entry.ts';
import type { Database } from './database.ts';
import { PathTable } from './pathTable.ts';

/** After this long an MDS that still holds the file counts as holding a new one, milliseconds. */
const KEEP = 180 * 24 * 3_600_000;

/** What Main saw removed from a two-way directory, so that no MDS brings it back. */
export class Tombstones {
  readonly entries = new Map<string, Entry>();
  readonly #table: PathTable;

  constructor(db: Database, directory: string, now: number) {
    this.#table = new PathTable(db, 'tombstones', directory);
    const old = [...this.#table.rows()].filter(({ extra }) => Number(extra) < now - KEEP);
    for (const { path } of old) this.#table.delete(path);
    this.#read();
    db.onRollback(() => this.#read());
  }

  set(path: string, entry: Entry, now: number): void {
    this.entries.set(path, entry);
    this.#table.set(path, entry, now);
  }

  delete(path: string): void {
    if (this.entries.delete(path)) this.#table.delete(path);
  }

  #read(): void {
    this.entries.clear();
    for (const { path, entry } of this.#table.rows()) this.entries.set(path, entry);
  }
}
