import type { Entry } from '#core/manifest/entry.ts';
import type { Database } from './database.ts';
import { PathTable } from './pathTable.ts';

/** The ledger of one directory: the entries that this MDS and Main last agreed on, by path. Held in memory, written through. */
export class Ledger {
  readonly entries = new Map<string, Entry>();
  files = 0;
  readonly #db: Database;
  readonly #table: PathTable;

  constructor(db: Database, directory: string) {
    this.#db = db;
    this.#table = new PathTable(db, 'ledger', directory);
    for (const { path, entry } of this.#table.rows()) this.#count(path, entry);
  }

  set(path: string, entry: Entry): void {
    this.#table.set(path, entry);
    this.#change(path, entry);
  }

  delete(path: string): void {
    this.#table.delete(path);
    this.#change(path, undefined);
  }

  #change(path: string, entry: Entry | undefined): void {
    const before = this.entries.get(path);
    this.#count(path, entry);
    this.#db.onRollback(() => this.#count(path, before));
  }

  #count(path: string, entry: Entry | undefined): void {
    if (this.entries.get(path)?.type === 'file') this.files -= 1;
    if (entry?.type === 'file') this.files += 1;
    if (entry === undefined) this.entries.delete(path);
    else this.entries.set(path, entry);
  }
}
