import { existsSync, mkdirSync, renameSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { randomBytes, randomUUID } from 'node:crypto';
import { asStateError } from './stateError.ts';
import { Statement } from './statement.ts';

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

/** The state of one side: rebuildable from disk, so losing it loses no file. */
export class Database {
  readonly file: string;
  /** Names this very state: a new database is another state, whatever it says. */
  readonly stateId: string;
  /**
   * When which run of the program took this state over, oldest first, each with the sequence at its start. A copy
   * that is put back lacks the runs since: that shows however much it changes afterwards.
   */
  readonly runs: readonly Run[];
  /** What stands in place of a damaged database, if one was found: the damaged one's new name. */
  readonly setAside: string | undefined;
  readonly #db: DatabaseSync;
  readonly #onFailure = new Set<(error: unknown) => void>();
  #inTransaction = false;
  /** What takes the changes of the transaction in hand back in memory, oldest first. */
  #undo: (() => void)[] = [];
  #sequence: number;

  /**
   * Opens or creates it.
   * @throws StateError when its disk does not let it; an error when it was written by a newer version of the program
   */
  constructor(file: string) {
    this.file = file;
    const opened = this.#guard(() => openOrReplace(file));
    this.#db = opened.db;
    this.setAside = opened.setAside;
    try {
      this.#sequence = Number(this.meta('sequence') ?? 0);
      const known = this.meta('state-id');
      this.stateId = known ?? randomUUID();
      const run = { id: randomBytes(8).toString('hex'), from: this.#sequence };
      this.runs = [...(JSON.parse(this.meta('runs') ?? '[]') as Run[]), run].slice(-MAX_RUNS);
      this.transaction(() => {
        if (known === undefined) this.setMeta('state-id', this.stateId);
        this.setMeta('runs', JSON.stringify(this.runs));
      });
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  /** Runs statements as one transaction, durable when it returns. @throws StateError when its disk does not let it */
  transaction<T>(work: () => T): T {
    if (this.#inTransaction) return work();
    this.#inTransaction = true;
    try {
      this.#exec('BEGIN IMMEDIATE');
      const result = work();
      this.#exec('COMMIT');
      return result;
    } catch (error) {
      for (const takeBack of this.#undo.toReversed()) takeBack();
      // SQLite itself has rolled back when the disk was full or failed.
      if (this.#db.isTransaction) this.#exec('ROLLBACK');
      throw error;
    } finally {
      this.#undo = [];
      this.#inTransaction = false;
    }
  }

  /**
   * Takes back in memory what belongs to the transaction in hand, should that come to nothing: what is kept in
   * memory must not know better. It reads nothing, since the disk may be what failed.
   */
  onRollback(takeBack: () => void): void {
    if (this.#inTransaction) this.#undo.push(takeBack);
  }

  get inTransaction(): boolean {
    return this.#inTransaction;
  }

  /** Hears of each time that its disk did not let it. */
  onFailure(hear: (error: unknown) => void): void {
    this.#onFailure.add(hear);
  }

  prepare(sql: string): Statement {
    return this.#guard(() => new Statement(this.#db.prepare(sql), (call) => this.#guard(call)));
  }

  meta(key: string): string | undefined {
    return this.prepare('SELECT value FROM meta WHERE key = ?').get(key)?.['value'] as string | undefined;
  }

  setMeta(key: string, value: string | undefined): void {
    if (value === undefined) this.prepare('DELETE FROM meta WHERE key = ?').run(key);
    else this.prepare('INSERT OR REPLACE INTO meta VALUES (?, ?)').run(key, value);
  }

  /** Grows with every change of this state: a copy that is put back later is known by its smaller number. */
  get sequence(): number {
    return this.#sequence;
  }

  /** Called in the transaction that changes the state. */
  advance(): void {
    const before = this.#sequence;
    this.setMeta('sequence', String(before + 1));
    this.#sequence = before + 1;
    this.onRollback(() => (this.#sequence = before));
  }

  close(): void {
    this.#db.close();
  }

  #exec(sql: string): void {
    this.#guard(() => this.#db.exec(sql));
  }

  #guard<T>(call: () => T): T {
    try {
      return call();
    } catch (error) {
      const failure = asStateError(error, this.file);
      for (const hear of this.#onFailure) hear(failure);
      throw failure;
    }
  }
}

function openOrReplace(file: string): { db: DatabaseSync; setAside?: string } {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  try {
    return { db: open(file) };
  } catch (error) {
    if (!isDamage(error) || !existsSync(file)) throw error;
    // Nothing in it is irreplaceable, but somebody may want to look at it.
    const setAside = `${file}.damaged-${Date.now()}`;
    renameSync(file, setAside);
    for (const suffix of ['-wal', '-shm']) {
      if (existsSync(file + suffix)) renameSync(file + suffix, setAside + suffix);
    }
    return { db: open(file), setAside };
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
