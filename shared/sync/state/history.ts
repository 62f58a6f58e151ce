import type { Database } from './database.ts';
import type { Statement } from './statement.ts';

/** One thing that was done. */
export type HistoryRow = {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly mds: string;
  readonly directory: string;
  readonly changeSet: string;
  readonly kind: string;
  readonly detail: string;
};

/** Rows kept; older ones make room. */
const KEEP_ROWS = 200_000;
/** Characters kept of what a row tells: most of it is an MDS's word, and an MDS may be anybody's. */
const MAX_DETAIL = 2_000;
/** How often old rows are looked for, in rows. */
const TRIM_EVERY = 10_000;

/** What was done, when and why. */
export class History {
  readonly #insert: Statement;
  readonly #trim: Statement;
  readonly #newest: Statement;
  readonly #idsFrom: Statement;
  readonly #ofChangeSet: Statement;
  #sinceTrim = 0;

  constructor(db: Database) {
    this.#insert = db.prepare(
      'INSERT INTO history (at, mds, directory, change_set, kind, detail) VALUES (?, ?, ?, ?, ?, ?)',
    );
    this.#trim = db.prepare('DELETE FROM history WHERE number <= (SELECT max(number) FROM history) - ?');
    this.#newest = db.prepare(
      'SELECT at, mds, directory, change_set, kind, detail FROM history WHERE (? IS NULL OR mds = ?) ORDER BY number DESC LIMIT ?',
    );
    this.#idsFrom = db.prepare(
      'SELECT DISTINCT change_set FROM history WHERE substr(change_set, 1, length(?)) = ? ORDER BY change_set LIMIT ?',
    );
    this.#ofChangeSet = db.prepare(
      'SELECT mds, directory, min(at) AS at FROM history WHERE change_set = ? GROUP BY mds, directory ORDER BY at',
    );
  }

  add(row: HistoryRow): void {
    const { detail } = row;
    const told = detail.length > MAX_DETAIL ? `${detail.slice(0, MAX_DETAIL - 1)}…` : detail;
    this.#insert.run(row.at, row.mds, row.directory, row.changeSet, row.kind, told);
    this.#sinceTrim += 1;
    if (this.#sinceTrim < TRIM_EVERY) return;
    this.#sinceTrim = 0;
    this.#trim.run(KEEP_ROWS);
  }

  /** Newest first. @param limit rows, at least 1 */
  newest(limit: number, mds?: string): HistoryRow[] {
    return this.#newest.all(mds ?? null, mds ?? null, limit).map((row) => ({
      at: Number(row['at']),
      mds: String(row['mds']),
      directory: String(row['directory']),
      changeSet: String(row['change_set']),
      kind: String(row['kind']),
      detail: String(row['detail']),
    }));
  }

  /** Ids of change sets that begin with a text, at most `limit`. */
  changeSetsFrom(beginning: string, limit: number): string[] {
    return this.#idsFrom.all(beginning, beginning, limit).map((row) => String(row['change_set']));
  }

  /** Where, and when first, something was done under a change set's id. */
  placesOf(changeSet: string): { mds: string; directory: string; at: number }[] {
    return this.#ofChangeSet.all(changeSet).map((row) => ({
      mds: String(row['mds']),
      directory: String(row['directory']),
      at: Number(row['at']),
    }));
  }
}
