import type { Entry } from '../manifest/entry.ts';
import type { Database } from './database.ts';
import { PathTable } from './pathTable.ts';

/** What one MDS and Main last agreed on in one directory, by path. Kept in memory, written through. */
export class Ledger {
  readonly entries = new Map<string, Entry>();
  files = 0;
  readonly #table: PathTable;

  constructor(db: Database, directory: string) {
    this.#table = new PathTable(db, 'ledger', directory);
    this.#read();
    db.onRollback(() => this.#read());
  }

  set(path: string, entry: Entry): void {
    this.#count(path, entry);
    this.#table.set(path, entry);
  }

  delete(path: string): void {
    this.#count(path, undefined);
    this.#table.delete(path);
  }

  #read(): void {
    this.entries.clear();
    this.files = 0;
    for (const { path, entry } of this.#table.rows()) this.#count(path, entry);
  }

  #count(path: string, entry: Entry | undefined): void {
    if (this.entries.get(path)?.type === 'file') this.files -= 1;
    if (entry?.type === 'file') this.files += 1;
    if (entry === undefined) this.entries.delete(path);
    else this.entries.set(path, entry);
  }
}
