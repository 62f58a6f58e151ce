import type { Entry } from '#core/manifest/entry.ts';
import { decodeName, encodeName } from '#core/path/nameBytes.ts';
import type { Database } from './database.ts';
import type { Statement } from './statement.ts';

/** Entries by path of one directory in one of the tables that have (directory, path, entry). Paths are stored as bytes. */
export class PathTable {
  readonly #directory: string;
  readonly #all: Statement;
  readonly #set: Statement;
  readonly #delete: Statement;

  constructor(db: Database, table: 'ledger' | 'tombstones' | 'content' | 'origins', directory: string) {
    this.#directory = directory;
    const extra = { ledger: undefined, tombstones: 'at', content: 'stamp', origins: 'clock' }[table];
    this.#all = db.prepare(`SELECT path, entry, ${extra ?? "''"} AS extra FROM ${table} WHERE directory = ?`);
    this.#set = db.prepare(
      extra === undefined
        ? `INSERT OR REPLACE INTO ${table} (directory, path, entry) VALUES (?, ?, ?)`
        : `INSERT OR REPLACE INTO ${table} (directory, path, entry, ${extra}) VALUES (?, ?, ?, ?)`,
    );
    this.#delete = db.prepare(`DELETE FROM ${table} WHERE directory = ? AND path = ?`);
  }

  *rows(): Iterable<{ path: string; entry: Entry; extra: string | number }> {
    for (const row of this.#all.all(this.#directory)) {
      const { path, entry, extra } = row as { path: Uint8Array; entry: string; extra: string | number };
      yield { path: decodeName(path), entry: JSON.parse(entry) as Entry, extra };
    }
  }

  /** @param extra the table's third column, for the tables that have one */
  set(path: string, entry: Entry, extra?: string | number): void {
    const values = [this.#directory, encodeName(path), JSON.stringify(entry)];
    this.#set.run(...values, ...(extra === undefined ? [] : [extra]));
  }

  delete(path: string): void {
    this.#delete.run(this.#directory, encodeName(path));
  }
}
