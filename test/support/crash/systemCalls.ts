import childProcess from 'node:child_process';
import ffi from 'node:ffi';
import fs, { type BigIntStats } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import path from 'node:path';
import { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Id } from './disk.ts';
import { Recording } from './recording.ts';

/**
 * Sees every change that this process makes to a disk, as strace would: Node's own functions are replaced once, by
 * functions that do the same and tell the recording, if there is one. The product knows nothing of it.
 * Import this before anything of the product.
 */

type Call = (...args: never[]) => unknown;
type PathLike = string | Buffer;

let recording: Recording | undefined;
/** Databases by their file, and the image of each that was recorded last. */
const databases = new Map<DatabaseSync, { host: string; image: Buffer | undefined }>();
const real = { ...fs };

/** Begins to record. @param hosts the root folders of each host @param files the database file of each */
export function record(
  hosts: ReadonlyMap<string, readonly string[]>,
  files: ReadonlyMap<string, string>,
): Recording {
  databases.clear();
  for (const db of opened) {
    const host = [...files].find(([, file]) => isOpen(db) && db.location() === real.realpathSync(file))?.[0];
    if (host !== undefined) databases.set(db, { host, image: undefined });
  }
  recording = new Recording(hosts, (root, into) => readIn(root, into));
  lookAtDatabases();
  recording.firstEvent = recording.events.length;
  return recording;
}

export function stopRecording(): void {
  recording = undefined;
  fault = undefined;
}

function readIn(full: PathLike, into: Recording): Id {
  const stat = real.lstatSync(full, { bigint: true });
  const inode = into.note(stat, {
    ...(stat.isFile() && { content: real.readFileSync(full) }),
    ...(stat.isSymbolicLink() && { target: real.readlinkSync(full) }),
  });
  if (!stat.isDirectory()) return inode.id;
  for (const name of real.readdirSync(full))
    inode.names.set(name, readIn(path.join(String(full), name), into));
  return inode.id;
}

/** A name in a folder that is recorded. */
type Place = { readonly folder: Id; readonly name: string; readonly full: PathLike };

function placeOf(at: PathLike): Place | undefined {
  const text = String(at);
  const stat = real.statSync(path.dirname(text), { bigint: true, throwIfNoEntry: false });
  const folder = stat && recording?.idOf(stat);
  return folder === undefined ? undefined : { folder, name: path.basename(text), full: at };
}

function lookAt(at: PathLike): BigIntStats | undefined {
  return real.lstatSync(at, { bigint: true, throwIfNoEntry: false });
}

function lookNow(at: PathLike): BigIntStats {
  return real.lstatSync(at, { bigint: true });
}

function made(place: Place | undefined, target?: string): void {
  if (place !== undefined) recording?.made(place.folder, place.name, lookNow(place.full), target);
}

function unname(at: PathLike, work: () => void): void {
  const place = placeOf(at);
  const stat = place && lookAt(at);
  work();
  const inode = stat && recording?.idOf(stat);
  if (place === undefined || inode === undefined) return;
  recording?.did({ kind: 'unname', folder: place.folder, name: place.name, inode }, []);
}

function rename(
  from: Place | undefined,
  to: Place | undefined,
  mode: 'replace' | 'no-replace' | 'exchange',
  work: () => boolean,
): void {
  const moved = from && lookAt(from.full);
  const other = to && lookAt(to.full);
  if (!work() || recording === undefined || from === undefined || to === undefined || moved === undefined)
    return;
  const movedId = recording.idOf(moved);
  const otherId = other && recording.idOf(other);
  if (movedId === undefined) return;
  const stats = [lookNow(to.full), ...(mode === 'exchange' ? [lookNow(from.full)] : [])];
  recording.did(
    {
      kind: 'rename',
      mode,
      from: from.folder,
      name: from.name,
      to: to.folder,
      toName: to.name,
      moved: movedId,
      ...(otherId !== undefined && { other: otherId }),
    },
    stats,
  );
}

function dressed(stat: BigIntStats, what: 'mode' | 'owner' | 'mtime', within?: Id): void {
  const inode = recording?.idOf(stat);
  if (inode === undefined) return;
  const mode = Number(stat.mode & 0o7777n);
  const set =
    what === 'mtime'
      ? { mtime: stat.mtimeNs }
      : what === 'mode'
        ? { mode }
        : { uid: Number(stat.uid), gid: Number(stat.gid), mode };
  recording?.did({ kind: 'dress', inode, set, ...(within !== undefined && { within }) }, [stat]);
}

function wrote(fd: number, data: Buffer): void {
  const stat = real.fstatSync(fd, { bigint: true });
  const inode = recording?.idOf(stat);
  if (inode === undefined || data.length === 0) return;
  // The product only ever appends.
  const at = Number(stat.size) - data.length;
  recording?.did({ kind: 'write', inode, at, data, mtime: stat.mtimeNs }, [stat]);
}

function synced(fd: number, upTo: number): void {
  const inode = recording?.idOf(real.fstatSync(fd, { bigint: true }));
  if (inode !== undefined) recording?.synced(inode, upTo);
}

/** As a program writes that puts a new file in the place of an old one. */
function writeWhole(target: PathLike, data: string | Uint8Array): void {
  if (lookAt(target) !== undefined) unname(target, () => real.unlinkSync(target));
  const fd = real.openSync(target, 'wx');
  made(placeOf(target));
  real.writeFileSync(fd, data);
  wrote(fd, Buffer.from(data as string));
  real.closeSync(fd);
}

function removeBelow(at: string): void {
  if (lookAt(at)?.isDirectory() !== true) return;
  for (const name of real.readdirSync(at)) {
    const inner = path.join(at, name);
    removeBelow(inner);
    unname(inner, () => (lookNow(inner).isDirectory() ? real.rmdirSync(inner) : real.unlinkSync(inner)));
  }
}

const idOf = (fd: number): Id | undefined => recording?.idOf(real.fstatSync(fd, { bigint: true }));

let fault: { after: number; readonly code: string; hit?: string } | undefined;

/** Lets one call fail, once: the one after so many of those that change a recorded disk or database. */
export function failOnce(after: number, code: 'ENOSPC' | 'EIO'): { readonly hit?: string } {
  fault = { after, code };
  return fault;
}

export function failNoMore(): void {
  fault = undefined;
}

/** @param concerned the recorded inode that the call is about, if any */
function mayFail(what: string, concerned: unknown): void {
  if (fault === undefined || fault.hit !== undefined || concerned === undefined) return;
  if (fault.after-- > 0) return;
  fault.hit = what;
  const { code } = fault;
  // SQLite tells a full disk by a number of its own.
  throw Object.assign(new Error(`${code}: made to fail, ${what}`), {
    code,
    errcode: code === 'ENOSPC' ? 13 : 10,
  });
}

const eventsNow = (): number => recording?.events.length ?? 0;

/** Replaces one function by one that works the same while nothing is recorded. */
function replace(name: keyof typeof fs, by: Call): void {
  const original = real[name] as Call;
  const put = (...args: never[]): unknown => (recording === undefined ? original(...args) : by(...args));
  Object.defineProperty(fs, name, { value: put, writable: true, configurable: true });
}

replace('mkdirSync', (at: PathLike, options: { recursive?: boolean } = {}) => {
  mayFail('mkdir', placeOf(at));
  const missing: string[] = [];
  if (options.recursive === true)
    for (let each = String(at); !real.existsSync(each); each = path.dirname(each)) missing.unshift(each);
  const result = real.mkdirSync(at, options);
  if (options.recursive === true) for (const each of missing) made(placeOf(each));
  else made(placeOf(at));
  return result;
});
replace('symlinkSync', (target: PathLike, at: PathLike) => {
  mayFail('symlink', placeOf(at));
  real.symlinkSync(target, at);
  made(placeOf(at), String(target));
});
replace('openSync', (at: PathLike, flags: string | number, mode?: number) => {
  const creates = typeof flags === 'string' ? flags.startsWith('w') : (flags & real.constants.O_CREAT) !== 0;
  const isNew = creates && lookAt(at) === undefined;
  if (isNew) mayFail('open', placeOf(at));
  const fd = real.openSync(at, flags, mode);
  if (isNew) made(placeOf(at));
  return fd;
});
replace('writeSync', (fd: number, data: Buffer | string, offset?: number) => {
  mayFail('write', idOf(fd));
  const length = real.writeSync(fd, data as Buffer, offset);
  const bytes = typeof data === 'string' ? Buffer.from(data) : data.subarray(offset ?? 0);
  wrote(fd, Buffer.from(bytes.subarray(0, length)));
  return length;
});
replace('writeFileSync', (target: number | PathLike, data: string | Uint8Array) => {
  if (typeof target !== 'number') return writeWhole(target, data);
  mayFail('write', idOf(target));
  real.writeFileSync(target, data);
  wrote(target, Buffer.from(data as string));
});
replace('utimesSync', (at: PathLike, atime: number, mtime: number) => {
  real.utimesSync(at, atime, mtime);
  dressed(real.statSync(at, { bigint: true }), 'mtime');
});
replace('fchmodSync', (fd: number, mode: number) => {
  mayFail('fchmod', idOf(fd));
  real.fchmodSync(fd, mode);
  dressed(real.fstatSync(fd, { bigint: true }), 'mode');
});
replace('fchownSync', (fd: number, uid: number, gid: number) => {
  mayFail('fchown', idOf(fd));
  real.fchownSync(fd, uid, gid);
  dressed(real.fstatSync(fd, { bigint: true }), 'owner');
});
replace('chmodSync', (at: PathLike, mode: number) => {
  real.chmodSync(at, mode);
  dressed(real.statSync(at, { bigint: true }), 'mode');
});
replace('lchownSync', (at: PathLike, uid: number, gid: number) => {
  real.lchownSync(at, uid, gid);
  const stat = lookNow(at);
  dressed(stat, 'owner', stat.isSymbolicLink() ? placeOf(at)?.folder : undefined);
});
replace('unlinkSync', (at: PathLike) => unname(at, () => real.unlinkSync(at)));
replace('rmdirSync', (at: PathLike) => unname(at, () => real.rmdirSync(at)));
replace('rmSync', (at: PathLike, options: fs.RmOptions) => {
  if (options.recursive === true) removeBelow(String(at));
  if (lookAt(at)?.isDirectory() === true) unname(at, () => real.rmdirSync(at));
  else unname(at, () => real.rmSync(at, options));
});
replace('renameSync', (from: PathLike, to: PathLike) => {
  mayFail('rename', placeOf(to));
  rename(placeOf(from), placeOf(to), 'replace', () => {
    real.renameSync(from, to);
    return true;
  });
});
replace('fsyncSync', (fd: number) => {
  mayFail('fsync', idOf(fd));
  real.fsyncSync(fd);
  synced(fd, eventsNow());
});
replace('fsync', (fd: number, done: (error: Error | null) => void) => {
  const upTo = eventsNow();
  try {
    mayFail('fsync', idOf(fd));
  } catch (error) {
    return done(error as Error);
  }
  real.fsync(fd, (error) => {
    if (error === null) synced(fd, upTo);
    done(error);
  });
});

const MODES = ['replace', 'no-replace', 'exchange'] as const;
const dlopen = ffi.dlopen.bind(ffi);
const open = (...args: Parameters<typeof dlopen>): ReturnType<typeof dlopen> => {
  const library = dlopen(...args);
  const functions = library.functions as unknown as Record<string, Call>;
  const { renameat2, futimens } = functions;
  if (renameat2 === undefined || futimens === undefined) return library;
  // Names are addresses of texts that end with NUL.
  const within = (fd: bigint, name: bigint): string => `/proc/self/fd/${fd}/${ffi.toString(name)}`;
  const watched = {
    ...functions,
    renameat2: ((fromFd: bigint, from: bigint, toFd: bigint, to: bigint, flags: bigint): number => {
      const call = (): number => (renameat2 as (...a: unknown[]) => number)(fromFd, from, toFd, to, flags);
      if (recording === undefined) return call();
      mayFail('rename', placeOf(within(toFd, to)));
      let result = -1;
      rename(
        placeOf(within(fromFd, from)),
        placeOf(within(toFd, to)),
        MODES[Number(flags) as 0 | 1 | 2],
        () => {
          result = call();
          return result === 0;
        },
      );
      return result;
    }) as Call,
    futimens: ((fd: bigint, times: bigint): number => {
      const result = (futimens as (...a: unknown[]) => number)(fd, times);
      if (result === 0 && recording !== undefined)
        dressed(real.fstatSync(Number(fd), { bigint: true }), 'mtime');
      return result;
    }) as Call,
  };
  return { ...library, functions: watched as unknown as typeof library.functions };
};
Object.defineProperty(ffi, 'dlopen', { value: open, writable: true, configurable: true });

const spawn = childProcess.spawn;
Object.defineProperty(childProcess, 'spawn', {
  writable: true,
  configurable: true,
  value: (...args: Parameters<typeof spawn>) => {
    const child = spawn(...args);
    if (String(args[1]).includes('sync -f')) recordSyncs(child);
    return child;
  },
});

/** Each line to the shell asks for a sync of everything; each line from it says that one has ended. */
function recordSyncs({ stdin, stdout }: childProcess.ChildProcess): void {
  if (stdin === null || stdout === null) return;
  const before = new Map<string, number>();
  const write = stdin.write.bind(stdin);
  stdin.write = (line: string) => {
    before.set(line.split(' ')[0] ?? '', eventsNow());
    return write(line);
  };
  stdout.on('data', (text: string) => {
    for (const [, number = ''] of text.matchAll(/^(\d+)$/gm)) recording?.syncedAll(before.get(number) ?? 0);
  });
}

const opened = new Set<DatabaseSync>();

function isOpen(db: DatabaseSync): boolean {
  return db.isOpen;
}

/** A transaction that returned is durable, whatever became of the rest of the disk. */
function lookAtDatabases(): void {
  for (const [db, known] of databases) {
    if (!db.isOpen || db.isTransaction) continue;
    const image = Buffer.from(db.serialize());
    if (known.image?.equals(image) === true) continue;
    known.image = image;
    recording?.committed(known.host, image);
  }
}

const exec = Reflect.get<DatabaseSync, 'exec'>(DatabaseSync.prototype, 'exec');
DatabaseSync.prototype.exec = function execAndLook(this: DatabaseSync, sql: string): void {
  opened.add(this);
  if (recording !== undefined && sql === 'COMMIT') mayFail('commit', databases.get(this));
  exec.call(this, sql);
  if (recording !== undefined) lookAtDatabases();
};
const run = Reflect.get<StatementSync, 'run'>(StatementSync.prototype, 'run') as Call;
StatementSync.prototype.run = function runAndLook(
  this: StatementSync,
  ...args: never[]
): ReturnType<StatementSync['run']> {
  // A statement does not tell its database: outside a transaction it commits by itself.
  if (recording !== undefined && [...databases.keys()].every((db) => !db.isOpen || !db.isTransaction))
    mayFail('insert', this);
  const result = run.apply(this, args) as ReturnType<StatementSync['run']>;
  if (recording !== undefined) lookAtDatabases();
  return result;
};

syncBuiltinESMExports();
