import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { DamagedState } from './stateError.ts';

/** Schema version, raised with every change of the tables below. A newer database is never opened. */
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
 * Tables added without a new schema version, because older programs work without them: after a downgrade they can still
 * open the state.
 */
const LATER = `
CREATE TABLE IF NOT EXISTS revisions (number INTEGER PRIMARY KEY AUTOINCREMENT, directory TEXT NOT NULL, path BLOB NOT NULL, before TEXT, after TEXT, at INTEGER NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS revisions_of_path ON revisions (directory, path, number);
CREATE TABLE IF NOT EXISTS kept_contents (hash TEXT PRIMARY KEY, content BLOB NOT NULL, bytes INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS kept_files (hash TEXT PRIMARY KEY, directory TEXT NOT NULL, bytes INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS origins (directory TEXT, path BLOB, entry TEXT NOT NULL, clock TEXT NOT NULL, PRIMARY KEY (directory, path)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS taken_over (directory TEXT, mds TEXT, number INTEGER NOT NULL, PRIMARY KEY (directory, mds)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS change_sets (id TEXT, directory TEXT, number INTEGER NOT NULL, PRIMARY KEY (id, directory)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS chunk_lists (directory TEXT, hash TEXT, usual INTEGER NOT NULL, digests TEXT NOT NULL, lengths BLOB NOT NULL, checks BLOB, PRIMARY KEY (directory, hash)) STRICT;
`;

/** SQLite's result codes for a corrupt file (sqlite3.h). */
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;
const DAMAGED = '.damaged-';
const COMPANIONS = ['-wal', '-shm'];

/** Suffix of the WAL. */
export const WAL = '-wal';

/** A damaged state that was set aside. */
export type SetAside = { readonly file: string; /** milliseconds since 1970 */ readonly at: number };

/**
 * Opens the state, or creates it, and reads all of its pages once.
 * @throws DamagedState when it is corrupt; an error when a newer version of the program wrote it
 */
export function openStateFile(file: string): DatabaseSync {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  // An empty file is damaged: even an empty database has a first page.
  const isNew = !existsSync(file);
  if (!isNew && statSync(file).size === 0) throw new DamagedState(file, 'it is empty');
  const db = new DatabaseSync(file, { timeout: 5_000 });
  try {
    // FULL: a committed transaction survives a power cut.
    // Checkpoints are made by `Database` alone, so that any other change of the file is a foreign write.
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;');
    const version = Number(db.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
    if (version > SCHEMA_VERSION) {
      throw new Error(
        `${file} was written by a newer version of xivo-xds-sync (schema ${version}, this one knows ${SCHEMA_VERSION}): install that version again`,
      );
    }
    checkPages(db, file);
    if (version === 0) db.exec(`BEGIN; ${SCHEMA} PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT;`);
    db.exec(`BEGIN; ${LATER} COMMIT;`);
    addColumns(db);
    return db;
  } catch (error) {
    db.close();
    // A file that could not be created completely (full disk) must not look like a damaged state at the next attempt.
    if (isNew) for (const suffix of ['', ...COMPANIONS]) rmSync(file + suffix, { force: true });
    throw isDamage(error) ? new DamagedState(file, textOf(error), { cause: error }) : error;
  }
}

function checkPages(db: DatabaseSync, file: string): void {
  const first = db.prepare('PRAGMA quick_check(1)').get()?.['quick_check'];
  if (first !== 'ok') throw new DamagedState(file, String(first).replaceAll(/\s+/g, ' ').slice(0, 200));
}

/**
 * Renames a damaged state within its folder, so that it can be examined.
 * @param now milliseconds since 1970
 */
export function setAsideState(file: string, now: number): SetAside {
  let aside = `${file}${DAMAGED}${now}`;
  for (let i = 1; existsSync(aside); i++) aside = `${file}${DAMAGED}${now + i}`;
  if (existsSync(file)) renameSync(file, aside);
  for (const suffix of COMPANIONS) if (existsSync(file + suffix)) renameSync(file + suffix, aside + suffix);
  return { file: aside, at: now };
}

/** The newest damaged state that was set aside beside this one. */
export function lastSetAside(file: string): SetAside | undefined {
  const prefix = `${path.basename(file)}${DAMAGED}`;
  const folder = path.dirname(file);
  let newest: SetAside | undefined;
  for (const name of namesIn(folder)) {
    const number = /^\d{1,15}$/.exec(name.startsWith(prefix) ? name.slice(prefix.length) : '')?.[0];
    if (number === undefined || Number(number) <= (newest?.at ?? -1)) continue;
    newest = { file: path.join(folder, name), at: Number(number) };
  }
  return newest;
}

/** Empty for a missing or failing folder; opening the state reports that error. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** The message in status, as long as the file is there. */
export function setAsideAlarm({ file, at }: SetAside): { at: string; message: string; times: number } {
  const message = `the state was damaged: it is kept as ${file}, and a new one was built from what is on disk. No file is lost, and nothing is removed because of it. Look for a failing disk, and delete that file (with its -wal and -shm) when you no longer need it`;
  return { at: new Date(at).toISOString(), message, times: 1 };
}

/** Whether an error of SQLite means that the file is corrupt. */
export function isDamage(error: unknown): boolean {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return false;
  // The upper bits are the extended result code.
  const kind = error.errcode & 0xff;
  return kind === SQLITE_CORRUPT || kind === SQLITE_NOTADB;
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Columns added later; older programs leave them empty. */
function addColumns(db: DatabaseSync): void {
  const columns = db.prepare('PRAGMA table_info(history)').all();
  const known = new Set(columns.map(({ name }) => name));
  for (const column of [
    'path TEXT',
    'reason TEXT',
    'actor TEXT',
    'bytes INTEGER',
    'duration INTEGER',
    'save TEXT',
  ]) {
    if (!known.has(column.split(' ')[0] ?? '')) db.exec(`ALTER TABLE history ADD COLUMN ${column}`);
  }
  db.exec('CREATE INDEX IF NOT EXISTS history_of_save ON history (save) WHERE save IS NOT NULL');
}
