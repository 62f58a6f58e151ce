import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { DamagedState } from './stateError.ts';

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
CREATE TABLE IF NOT EXISTS kept_files (hash TEXT PRIMARY KEY, directory TEXT NOT NULL, bytes INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS origins (directory TEXT, path BLOB, entry TEXT NOT NULL, clock TEXT NOT NULL, PRIMARY KEY (directory, path)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS taken_over (directory TEXT, mds TEXT, number INTEGER NOT NULL, PRIMARY KEY (directory, mds)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS change_sets (id TEXT, directory TEXT, number INTEGER NOT NULL, PRIMARY KEY (id, directory)) STRICT, WITHOUT ROWID;
`;

/** SQLite's numbers (sqlite3.h) for a file whose bytes are not what it wrote. */
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;
const DAMAGED = '.damaged-';
const COMPANIONS = ['-wal', '-shm'];

/** The part of a state's file that is not written back yet. */
export const WAL = '-wal';

/** A damaged state that was put out of the way. */
export type SetAside = { readonly file: string; /** milliseconds since 1970 */ readonly at: number };

/**
 * Opens the state, or creates it, and reads its pages once.
 * @throws DamagedState when its bytes are not what was written; an error when a newer version of the program wrote it
 */
export function openStateFile(file: string): DatabaseSync {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  // A file without a byte is none that this program left: even an empty database has a first page.
  const isNew = !existsSync(file);
  if (!isNew && statSync(file).size === 0) throw new DamagedState(file, 'it is empty');
  const db = new DatabaseSync(file, { timeout: 5_000 });
  try {
    // FULL: a transaction that returned survives a power cut.
    // Written back by `Database.writeBack` alone: whatever else changes the file is somebody else.
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
    // What could not be made (the disk is full) is not to be taken for a damaged state at the next try.
    if (isNew) for (const suffix of ['', ...COMPANIONS]) rmSync(file + suffix, { force: true });
    throw isDamage(error) ? new DamagedState(file, textOf(error), { cause: error }) : error;
  }
}

function checkPages(db: DatabaseSync, file: string): void {
  const first = db.prepare('PRAGMA quick_check(1)').get()?.['quick_check'];
  if (first !== 'ok') throw new DamagedState(file, String(first).replaceAll(/\s+/g, ' ').slice(0, 200));
}

/**
 * Gives a damaged state another name in the same folder: nothing in it is irreplaceable, but somebody may want to
 * look at it.
 * @param now milliseconds since 1970
 */
export function setAsideState(file: string, now: number): SetAside {
  let aside = `${file}${DAMAGED}${now}`;
  for (let i = 1; existsSync(aside); i++) aside = `${file}${DAMAGED}${now + i}`;
  if (existsSync(file)) renameSync(file, aside);
  for (const suffix of COMPANIONS) if (existsSync(file + suffix)) renameSync(file + suffix, aside + suffix);
  return { file: aside, at: now };
}

/** The newest damaged state that still lies beside this one. */
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

/** A folder that is missing, or on a disk that fails, shows nothing: what is wrong with it is reported by whoever needs it. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** What status says of it, as long as it lies there. */
export function setAsideAlarm({ file, at }: SetAside): { at: string; message: string; times: number } {
  const message = `the state was damaged: it is kept as ${file}, and a new one was built from what is on disk. No file is lost, and nothing is removed because of it. Look for a failing disk, and delete that file (with its -wal and -shm) when you need it no longer`;
  return { at: new Date(at).toISOString(), message, times: 1 };
}

/** Whether SQLite says that the file's bytes are not what it wrote. */
export function isDamage(error: unknown): boolean {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return false;
  // The upper bits say where it was found.
  const kind = error.errcode & 0xff;
  return kind === SQLITE_CORRUPT || kind === SQLITE_NOTADB;
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Columns that came later: a program without them leaves them empty. */
function addColumns(db: DatabaseSync): void {
  const columns = db.prepare('PRAGMA table_info(history)').all();
  const known = new Set(columns.map(({ name }) => name));
  for (const column of ['path TEXT', 'reason TEXT', 'actor TEXT', 'bytes INTEGER', 'duration INTEGER']) {
    if (!known.has(column.split(' ')[0] ?? '')) db.exec(`ALTER TABLE history ADD COLUMN ${column}`);
  }
}
