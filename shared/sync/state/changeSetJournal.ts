import type { ChangeSet } from '#core/changeSet.ts';
import type { Database } from './database.ts';

/** Change sets that are being made visible. One that is still here at a start was cut off. */
export class Journal {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  begin(changeSet: ChangeSet): void {
    this.#db
      .prepare('INSERT INTO journal VALUES (?, ?, ?)')
      .run(changeSet.id, changeSet.directory, JSON.stringify(changeSet));
  }

  /** Ends a change set together with what `record` writes, in one transaction. */
  end(id: string, record: () => void): void {
    this.#db.transaction(() => {
      record();
      this.#db.prepare('DELETE FROM journal WHERE id = ?').run(id);
    });
  }

  open(directory: string): ChangeSet[] {
    const rows = this.#db
      .prepare('SELECT change_set FROM journal WHERE directory = ? ORDER BY id')
      .all(directory);
    return rows.map((row) => JSON.parse(row['change_set'] as string) as ChangeSet);
  }
}
