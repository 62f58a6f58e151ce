import type { Database } from './database.ts';
import type { Statement } from './statement.ts';

/** One history entry. */
export type HistoryRow = {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly mds: string;
  readonly directory: string;
  readonly changeSet: string;
  readonly kind: string;
  /** Path and reason in one text for people. */
  readonly detail: string;
  readonly path?: string | null;
  readonly reason?: string | null;
  /** The actor: `watcher`, `reconcile`, `command by root`, `mds1`; null in rows of older versions. */
  readonly actor?: string | null;
  readonly bytes?: number | null;
  /** Duration, milliseconds. */
  readonly durationMs?: number | null;
  /** The save of Main's that this carries out, one id on all hosts; null for what follows no save. */
  readonly save?: string | null;
};

export type HistoryFilter = {
  readonly limit: number;
  readonly mds?: string | undefined;
  readonly directory?: string | undefined;
  /** A path, or a folder above it. */
  readonly path?: string | undefined;
  /** A change set's id, or its beginning. */
  readonly changeSet?: string | undefined;
  /** Milliseconds since 1970, the first included and the last not. */
  readonly since?: number | undefined;
  readonly until?: number | undefined;
  /** Only rows after this one. */
  readonly after?: number | undefined;
};

/** A stored row with its number, which grows. */
export type NumberedRow = Required<HistoryRow> & { readonly number: number };

/** Rows kept; older ones make room. */
const KEEP_ROWS = 200_000;
/** Characters of the detail that are kept. Most of the text comes from an MDS, which is not trusted. */
const MAX_DETAIL = 2_000;
/** Rows between two removals of old rows. */
const TRIM_EVERY = 10_000;

/** The history: what was done, when and why. */
export class History {
  readonly #insert: Statement;
  readonly #trim: Statement;
  readonly #newest: Statement;
  readonly #idsFrom: Statement;
  readonly #ofChangeSet: Statement;
  readonly #ofSave: Statement;
  #sinceTrim = 0;

  constructor(db: Database) {
    this.#insert = db.prepare(
      'INSERT INTO history (at, mds, directory, change_set, kind, detail, path, reason, actor, bytes, duration, save) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
    );
    this.#trim = db.prepare('DELETE FROM history WHERE number <= (SELECT max(number) FROM history) - ?');
    this.#newest = db.prepare(
      `SELECT * FROM history WHERE number > :after AND (:mds IS NULL OR mds = :mds) AND (:directory IS NULL OR directory = :directory)
        AND at >= :since AND at < :until AND (:changeSet IS NULL OR substr(change_set, 1, length(:changeSet)) = :changeSet OR substr(save, 1, length(:changeSet)) = :changeSet)
        AND (:path IS NULL OR path = :path OR substr(path, 1, length(:path) + 1) = :path || '/'
          OR (path IS NULL AND substr(detail, 1, length(:path) + 1) IN (:path || ':', :path || '/')))
        ORDER BY number DESC LIMIT :limit`,
    );
    this.#idsFrom = db.prepare(
      `SELECT DISTINCT id FROM (SELECT change_set AS id FROM history UNION SELECT save FROM history WHERE save IS NOT NULL)
        WHERE substr(id, 1, length(?)) = ? ORDER BY id LIMIT ?`,
    );
    this.#ofSave = db.prepare('SELECT DISTINCT directory FROM history WHERE save = ?');
    this.#ofChangeSet = db.prepare(
      'SELECT mds, directory, min(at) AS at FROM history WHERE change_set = ? GROUP BY mds, directory ORDER BY at',
    );
  }

  add(row: HistoryRow): void {
    const { detail } = row;
    const shortened = detail.length > MAX_DETAIL ? `${detail.slice(0, MAX_DETAIL - 1)}…` : detail;
    const reason = row.reason ?? null;
    this.#insert.run(
      row.at,
      row.mds,
      row.directory,
      row.changeSet,
      row.kind,
      shortened,
      row.path ?? null,
      reason === null ? null : reason.slice(0, MAX_DETAIL),
      row.actor ?? null,
      row.bytes ?? null,
      row.durationMs ?? null,
      row.save ?? null,
    );
    this.#sinceTrim += 1;
    if (this.#sinceTrim < TRIM_EVERY) return;
    this.#sinceTrim = 0;
    this.#trim.run(KEEP_ROWS);
  }

  /** Newest first. */
  find({ limit, mds, directory, path, changeSet, since, until, after }: HistoryFilter): NumberedRow[] {
    const rows = this.#newest.allNamed({
      limit,
      mds: mds ?? null,
      directory: directory ?? null,
      path: path ?? null,
      changeSet: changeSet ?? null,
      since: since ?? 0,
      until: until ?? Number.MAX_SAFE_INTEGER,
      after: after ?? 0,
    });
    const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);
    const count = (value: unknown): number | null => (value === null ? null : Number(value));
    return rows.map((row) => ({
      number: Number(row['number']),
      at: Number(row['at']),
      mds: String(row['mds']),
      directory: String(row['directory']),
      changeSet: String(row['change_set']),
      kind: String(row['kind']),
      detail: String(row['detail']),
      path: text(row['path']),
      reason: text(row['reason']),
      actor: text(row['actor']),
      bytes: count(row['bytes']),
      durationMs: count(row['duration']),
      save: text(row['save']),
    }));
  }

  /** Newest first. @param limit rows, at least 1 */
  newest(limit: number, mds?: string): NumberedRow[] {
    return this.find({ limit, mds });
  }

  /** At most `limit` ids of change sets and saves that begin with a text. */
  changeSetsFrom(beginning: string, limit: number): string[] {
    return this.#idsFrom.all(beginning, beginning, limit).map((row) => String(row['id']));
  }

  /** The hosts and directories of a change set's entries, with the time of the first one. */
  placesOf(changeSet: string): { mds: string; directory: string; at: number }[] {
    return this.#ofChangeSet.all(changeSet).map((row) => ({
      mds: String(row['mds']),
      directory: String(row['directory']),
      at: Number(row['at']),
    }));
  }

  /** True for the id of a save. */
  isSave(id: string): boolean {
    return this.#ofSave.get(id) !== undefined;
  }

  /** The directories that a save of Main's changed: one, or none where it is no save. */
  directoriesOfSave(save: string): string[] {
    return this.#ofSave.all(save).map((row) => String(row['directory']));
  }
}
