import type { Entry } from '#core/manifest/entry.ts';
import { isEntry } from '#core/manifest/meaning.ts';
import { decodeName, encodeName } from '#core/path/nameBytes.ts';
import type { Database } from './database.ts';
import type { Statement } from './statement.ts';

/** Entries by path of one directory in one of the tables that have (directory, path, entry). Paths are stored as bytes. */
export class PathTable {
  readonly #db: Database;
  readonly #directory: string;
  readonly #all: Statement;
  readonly #set: Statement;
  readonly #delete: Statement;

  constructor(db: Database, table: 'ledger' | 'tombstones' | 'content' | 'origins', directory: string) {
    this.#db = db;
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

  /**
   * The valid rows. An invalid row was written by an older version that checked a peer's entries less strictly: it is
   * ignored, and its path is scanned, or agreed on, again.
   * @throws DamagedState when a row is not the work of any version
   */
  *rows(): Iterable<{ path: string; entry: Entry; extra: string | number }> {
    for (const { path, entry: text, extra } of this.#all.each(this.#directory)) {
      const entry = this.#db.readJson(text);
      const isWhole = path instanceof Uint8Array && (typeof extra === 'string' || typeof extra === 'number');
      if (!isWhole) throw this.#db.damagedBy('a row is not what was written');
      if (isEntry(entry)) yield { path: decodeName(path), entry, extra };
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
