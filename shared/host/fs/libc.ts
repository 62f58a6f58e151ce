import { Buffer } from 'node:buffer';
import ffi from 'node:ffi';
import { constants } from 'node:fs';
import os from 'node:os';
import { encodeName } from '#core/path/nameBytes.ts';
import { codeOf } from './errno.ts';

/**
 * The system calls that Node's `fs` does not offer, called in libc:
 * - renameat2(2): exchange two names in one step, or refuse to replace (`fs.rename` always replaces);
 * - openat(2): open a file in a folder, without the way through /proc/self/fd;
 * - fcntl(2): delay a file's readers by a lease, or find out whether a process writes it;
 * - posix_fadvise(3): free the memory in which the kernel keeps what will not be read again;
 * - futimens(3): set a time to the nanosecond (`fs.futimes` takes a double, which is off by up to 120 ns);
 * - statx(2): look at files for half of what `fs.lstat` costs, and compare them with what is known of them as numbers;
 * - getdents64(2): list a folder without a text for each name, and with what each is.
 * Names are taken in open folders, so no path is resolved twice.
 */
const { functions: libc } = ffi.dlopen('libc.so.6', {
  // Where every argument is a pointer: Node checks numbers and buffers at three times the cost of the call itself.
  renameat2: { arguments: ['pointer', 'pointer', 'pointer', 'pointer', 'pointer'], return: 'int32' },
  openat: { arguments: ['pointer', 'pointer', 'pointer'], return: 'int32' },
  fcntl: { arguments: ['pointer', 'pointer', 'pointer'], return: 'int32' },
  posix_fadvise: { arguments: ['int32', 'int64', 'int64', 'int32'], return: 'int32' },
  futimens: { arguments: ['pointer', 'pointer'], return: 'int32' },
  statx: { arguments: ['pointer', 'pointer', 'pointer', 'pointer', 'pointer'], return: 'int32' },
  getdents64: { arguments: ['int32', 'buffer', 'uint64'], return: 'int64' },
  lseek: { arguments: ['int32', 'int64', 'int32'], return: 'int64' },
  __errno_location: { arguments: [], return: 'pointer' },
});

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
/** Node does not name it: programs that are started do not get the file. */
const O_CLOEXEC = 0o2000000;
const TO_READ = BigInt(O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
const POSIX_FADV_DONTNEED = 4;
const F_SETSIG = 10n;
const F_SETLEASE = 1024n;
const F_RDLCK = 0n;
const F_WRLCK = 1n;
const F_UNLCK = 2n;
const SIGURG = BigInt(os.constants.signals.SIGURG);
const AT_SYMLINK_NOFOLLOW = 0x100n;
const AT_EMPTY_PATH = 0x1000n;
/** STATX_BASIC_STATS and STATX_BTIME. */
const STATX_MASK = 0xfffn;
const SEEK_SET = 0;
/** As many names as are read in one call. The same memory for all calls: V8 collects garbage the sooner, the more is outside its heap. */
const ENTRIES_BYTES = 32 * 1024;
const entries = Buffer.alloc(ENTRIES_BYTES);
const UTIME_OMIT = (1n << 30n) - 2n;
const RENAME_FLAGS = { replace: 0n, 'no-replace': 1n, exchange: 2n } as const;
/** A file's times: the first is left as it is. */
const times = BigInt64Array.of(0n, UTIME_OMIT, 0n, 0n);
const timesAddress = ffi.getRawPointer(times);

/** In UTF-8, of one of a string's units. */
const MOST_BYTES_OF_UNIT = 3;

/** Memory for a name that libc is called with. */
class NameBuffer {
  #bytes = Buffer.alloc(512);
  #address = ffi.getRawPointer(this.#bytes);

  /** The address of a name, ended by NUL; valid until the next call. */
  holding(name: string): bigint {
    if (name.length * MOST_BYTES_OF_UNIT < this.#bytes.length && name.isWellFormed()) {
      this.#bytes[this.#bytes.write(name)] = 0;
      return this.#address;
    }
    const encoded = encodeName(name);
    if (encoded.length >= this.#bytes.length) {
      this.#bytes = Buffer.alloc(encoded.length + 1);
      this.#address = ffi.getRawPointer(this.#bytes);
    }
    encoded.copy(this.#bytes);
    this.#bytes[encoded.length] = 0;
    return this.#address;
  }
}

/** The empty name, which stands for an open file itself. */
const nothing = { name: new NameBuffer(), at: 0n };
nothing.at = nothing.name.holding('');
const fromName = new NameBuffer();
const toName = new NameBuffer();
/** EWOULDBLOCK and EAGAIN are one number: the name that Node's fs uses. */
const errorNames = new Map(
  Object.entries(os.constants.errno).flatMap(([name, number]): [number, string][] =>
    name === 'EWOULDBLOCK' ? [] : [[number, name]],
  ),
);

export type RenameMode = keyof typeof RENAME_FLAGS;

/**
 * Opens a file in the folder `folder` for reading without following a link and without waiting for a fifo's writer.
 * @returns its descriptor
 * @throws an error with `code` and `syscall`, as Node's fs throws
 */
export function openAt(folder: number, name: string): number {
  for (;;) {
    const fd = libc.openat(BigInt(folder), fromName.holding(name), TO_READ);
    if (fd >= 0) return fd;
    if (lastError().code !== 'EINTR') fail('open', name);
  }
}

/**
 * Renames `from` in the folder `fromFd` to `to` in the folder `toFd`.
 * `exchange` swaps two existing names atomically; `no-replace` fails with EEXIST when `to` exists.
 * @throws an error with `code` and `syscall`, as Node's fs throws
 */
export function renameAt(fromFd: number, from: string, toFd: number, to: string, mode: RenameMode): void {
  const result = libc.renameat2(
    BigInt(fromFd),
    fromName.holding(from),
    BigInt(toFd),
    toName.holding(to),
    RENAME_FLAGS[mode],
  );
  if (result !== 0) fail('renameat2', `${from} -> ${to}`);
}

/**
 * Sets the mtime of an open file; atime stays.
 * @param mtime nanoseconds since 1970
 */
export function setMtime(fd: number, mtime: bigint): void {
  const second = 1_000_000_000n;
  const nanoseconds = ((mtime % second) + second) % second;
  times[2] = (mtime - nanoseconds) / second;
  times[3] = nanoseconds;
  if (libc.futimens(BigInt(fd), timesAddress) !== 0) fail('futimens', String(fd));
}

/**
 * Takes a write lease on an open file: from now on other processes that open it block in open(2) until the lease is
 * released, the file is closed, or /proc/sys/fs/lease-break-time is over (45 s by default).
 * @throws EAGAIN when another process has it open; EACCES when its owner is another user and CAP_LEASE is missing; EINVAL
 *   when the file system has no leases
 */
export function takeLease(fd: number): void {
  lease(fd, F_WRLCK);
}

/** Releases a lease. @throws EINVAL or EBADF when there is none */
export function giveBackLease(fd: number): void {
  check(libc.fcntl(BigInt(fd), F_SETLEASE, F_UNLCK), 'fcntl', 'F_SETLEASE');
}

/**
 * Whether any process has a file open for writing: a read lease is granted only when none has. It is released at once; a
 * process that opens the file in that moment waits for microseconds.
 * @param fd open for reading only
 * @returns undefined when unknown: the owner is another user and CAP_LEASE is missing, or the file system has no leases
 */
export function isOpenForWriting(fd: number): boolean | undefined {
  try {
    lease(fd, F_RDLCK);
  } catch (error) {
    return codeOf(error) === 'EAGAIN' ? true : undefined;
  }
  giveBackLease(fd);
  return false;
}

/**
 * Says that a part of an open file will not be read again soon, so that the kernel need not keep it in memory. What is not on
 * the disk yet stays, and what is read nevertheless comes from there.
 * @param start offset, bytes
 * @param end offset of its end, bytes
 */
export function dropCached(fd: number, start: number, end: number): void {
  // It is advice: nothing depends on it.
  libc.posix_fadvise(fd, BigInt(start), BigInt(end - start), POSIX_FADV_DONTNEED);
}

/** The address of a buffer, for {@link statAt}. The buffer must not be garbage before the last use of it. */
export function addressOf(buffer: NodeJS.ArrayBufferView): bigint {
  return ffi.getRawPointer(buffer);
}

/**
 * Writes what statx(2) says of a name in a folder, not following a link.
 * @param fd the open folder
 * @param name address of the name, ended by NUL
 * @param into address of 256 bytes
 * @returns false when that failed
 */
export function statAt(fd: bigint, name: bigint, into: bigint): boolean {
  return libc.statx(fd, name, AT_SYMLINK_NOFOLLOW, STATX_MASK, into) === 0;
}

/** The same for the text of a name. */
export function statNamed(folder: number, name: string, into: bigint): boolean {
  return statAt(BigInt(folder), fromName.holding(name), into);
}

/**
 * Writes what statx(2) says of an open file or folder.
 * @param into address of 256 bytes
 * @throws an error with `code` and `syscall`, as Node's fs throws
 */
export function statOpen(fd: number, into: bigint): void {
  if (libc.statx(BigInt(fd), nothing.at, AT_EMPTY_PATH, STATX_MASK, into) !== 0) fail('statx', String(fd));
}

/**
 * Reads all entries of an open folder, as getdents64(2) writes them; what they leave out is 0.
 * @throws an error with `code` and `syscall`, as Node's fs throws
 */
export function readEntries(fd: number): Buffer {
  const parts: Buffer[] = [];
  check(libc.lseek(fd, 0n, SEEK_SET) === 0n ? 0 : -1, 'lseek', String(fd));
  for (;;) {
    const read = Number(libc.getdents64(fd, entries, BigInt(ENTRIES_BYTES)));
    check(Math.min(read, 0), 'getdents64', String(fd));
    if (read === 0) return Buffer.concat(parts);
    parts.push(Buffer.from(entries.subarray(0, read)));
    entries.fill(0, 0, read);
  }
}

/** Why the last call into libc failed: valid until the next one only. */
export function lastError(): { readonly code: string; readonly errno: number } {
  const errno = ffi.getInt32(libc.__errno_location(), 0);
  return { code: errorNames.get(errno) ?? `errno ${errno}`, errno };
}

function lease(fd: number, kind: bigint): void {
  // The kernel signals a waiting process with SIGIO, which would kill this program; SIGURG is ignored.
  check(libc.fcntl(BigInt(fd), F_SETSIG, SIGURG), 'fcntl', 'F_SETSIG');
  check(libc.fcntl(BigInt(fd), F_SETLEASE, kind), 'fcntl', 'F_SETLEASE');
}

function check(result: number, syscall: string, what: string): void {
  if (result !== 0) fail(syscall, what);
}

function fail(syscall: string, what: string): never {
  const { code, errno } = lastError();
  throw Object.assign(new Error(`${code}: ${syscall} '${what}'`), { code, errno: -errno, syscall });
}
