import { existsSync, mkdirSync, renameSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { randomBytes, randomUUID } from 'node:crypto';

/** Raised with every change of the tables below. A newer database is never opened. */
const SCHEMA_VERSION = 1;

const SCHEMA = `
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE content (directory TEXT, path BLOB, stamp TEXT NOT NULL, entry TEXT NOT NULL, PRIMARY KEY (directory, path)) STRICT, WITHOUT ROWID;
CREATE TABLE ledger (directory TEXT, path BLOB, entry TEXT NOT NULL, PRIMARY KEY (directory, path)) STRICT, WITHOUT ROWID;
CREATE TABLE tombstones (directory TEXT, path BLOB, entry TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (directory, path)) STRICT, WITHOUT ROWID;
CREATE TABLE journal (id TEXT PRIMARY KEY, directory TEXT NOT NULL, change_set TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE history (number INTEGER PRIMARY KEY, at INTEGER NOT NULL, mds TEXT NOT NULL, directory TEXT NOT NULL, change_set TEXT NOT NULL, kind TEXT NOT NULL, detail TEXT NOT NULL) STRICT;
`;

/**
 * Tables that came later, which a program without them does not miss: it may still open the state, so that going
 * back to an older package needs nothing else.
 */
const LATER = `
CREATE TABLE IF NOT EXISTS revisions (number INTEGER PRIMARY KEY AUTOINCREMENT, directory TEXT NOT NULL, path BLOB NOT NULL, before TEXT, after TEXT, at INTEGER NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS revisions_of_path ON revisions (directory, path, number);
CREATE TABLE IF NOT EXISTS kept_contents (hash TEXT PRIMARY KEY, content BLOB NOT NULL, bytes INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS origins (directory TEXT, path BLOB, entry TEXT NOT NULL, clock TEXT NOT NULL, PRIMARY KEY (directory, path)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS taken_over (directory TEXT, mds TEXT, number INTEGER NOT NULL, PRIMARY KEY (directory, mds)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS change_sets (id TEXT, directory TEXT, number INTEGER NOT NULL, PRIMARY KEY (id, directory)) STRICT, WITHOUT ROWID;
`;

/** One start of the program with a state. */
export type Run = { readonly id: string; readonly from: number };

/** Whoever was away for more starts of the other side than this can't tell its state from an old one. */
const MAX_RUNS = 256;

export type Statement = ReturnType<DatabaseSync['prepare']>;

/** The state of one side: rebuildable from disk, so losing it loses no file. */
export class Database {
  readonly #db: DatabaseSync;
  readonly #rolledBack: (() => void)[] = [];
  /** What stands in place of a damaged database, if one was found: the damaged one's new name. */
  readonly setAside: string | undefined;

  /**
   * Opens or creates it.
   * @throws when it was written by a newer version of the program, or its folder can't be written
   */
  constructor(file: string) {
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    let db: DatabaseSync;
    try {
      db = open(file);
    } catch (error) {
      if (!isDamage(error) || !existsSync(file)) throw error;
      // Nothing in it is irreplaceable, but somebody may want to look at it.
      this.setAside = `${file}.damaged-${Date.now()}`;
      renameSync(file, this.setAside);
      for (const suffix of ['-wal', '-shm']) {
        if (existsSync(file + suffix)) renameSync(file + suffix, this.setAside + suffix);
      }
      db = open(file);
    }
    this.#db = db;
    this.#beginRun();
  }

  /** Runs statements as one transaction, durable when it returns. */
  transaction<T>(work: () => T): T {
    if (this.#db.isTransaction) return work();
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.#db.exec('COMMIT');
      return result;
    } catch (error) {
      // SQLite itself has rolled back when the disk was full or failed.
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      for (const forget of this.#rolledBack) forget();
      throw error;
    }
  }

  /** Calls `forget` after each transaction that came to nothing: what is kept in memory must not know better. */
  onRollback(forget: () => void): void {
    this.#rolledBack.push(forget);
  }

  prepare(sql: string): Statement {
    return this.#db.prepare(sql);
  }

  meta(key: string): string | undefined {
    return this.#db.prepare('SELECT value FROM meta WHERE key = ?').get(key)?.['value'] as string | undefined;
  }

  setMeta(key: string, value: string | undefined): void {
    if (value === undefined) this.#db.prepare('DELETE FROM meta WHERE key = ?').run(key);
    else this.#db.prepare('INSERT OR REPLACE INTO meta VALUES (?, ?)').run(key, value);
  }

  /** Names this very state: a new database is another state, whatever it says. */
  get stateId(): string {
    const known = this.meta('state-id');
    if (known !== undefined) return known;
    const id = randomUUID();
    this.setMeta('state-id', id);
    return id;
  }

  /** Grows with every change of this state: a copy that is put back later is known by its smaller number. */
  get sequence(): number {
    return Number(this.meta('sequence') ?? 0);
  }

  /**
   * When which run of the program took this state over, oldest first, each with the sequence at its start. A copy
   * that is put back lacks the runs since: that shows however much it changes afterwards.
   */
  get runs(): readonly Run[] {
    return JSON.parse(this.meta('runs') ?? '[]') as Run[];
  }

  #beginRun(): void {
    const run = { id: randomBytes(8).toString('hex'), from: this.sequence };
    this.setMeta('runs', JSON.stringify([...this.runs, run].slice(-MAX_RUNS)));
  }

  /** Called in the transaction that changes the state. */
  advance(): void {
    this.setMeta('sequence', String(this.sequence + 1));
  }

  close(): void {
    this.#db.close();
  }
}

function open(file: string): DatabaseSync {
  const db = new DatabaseSync(file, { timeout: 5_000 });
  try {
    // FULL: a transaction that returned survives a power cut.
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
    const version = Number(db.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
    if (version > SCHEMA_VERSION) {
      throw new Error(
        `${file} was written by a newer version of xivo-xds-sync (schema ${version}, this one knows ${SCHEMA_VERSION}): install that version again`,
      );
    }
    if (version === 0) db.exec(`BEGIN; ${SCHEMA} PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT;`);
    db.exec(`BEGIN; ${LATER} COMMIT;`);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function isDamage(error: unknown): boolean {
  const { errcode } = error as { errcode?: number };
  const SQLITE_CORRUPT = 11;
  const SQLITE_NOTADB = 26;
  return errcode === SQLITE_CORRUPT || errcode === SQLITE_NOTADB;
}
