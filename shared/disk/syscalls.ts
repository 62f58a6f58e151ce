import { Buffer } from 'node:buffer';
import ffi from 'node:ffi';
import os from 'node:os';
import { encodeName } from '../paths/bytes.ts';

/**
 * The system calls that Node's `fs` does not offer, called in libc:
 * - renameat2(2): exchange two names in one step, or refuse to replace (`fs.rename` always replaces);
 * - futimens(3): set a time to the nanosecond (`fs.futimes` takes a double, which is off by up to 120 ns).
 * Names are taken in open folders, so no path is resolved twice.
 */
const { functions: libc } = ffi.dlopen('libc.so.6', {
  renameat2: { arguments: ['int32', 'buffer', 'int32', 'buffer', 'uint32'], return: 'int32' },
  futimens: { arguments: ['int32', 'buffer'], return: 'int32' },
  __errno_location: { arguments: [], return: 'pointer' },
});

const UTIME_OMIT = (1n << 30n) - 2n;
const RENAME_FLAGS = { replace: 0, 'no-replace': 1, exchange: 2 } as const;
const errorNames = new Map(Object.entries(os.constants.errno).map(([name, number]) => [number, name]));

export type RenameMode = keyof typeof RENAME_FLAGS;

/**
 * Renames `from` in the folder `fromFd` to `to` in the folder `toFd`.
 * `exchange` swaps two existing names atomically; `no-replace` fails with EEXIST when `to` exists.
 * @throws an error with `code` and `syscall`, as Node's fs throws
 */
export function renameAt(fromFd: number, from: string, toFd: number, to: string, mode: RenameMode): void {
  check(
    libc.renameat2(fromFd, cString(from), toFd, cString(to), RENAME_FLAGS[mode]),
    'renameat2',
    `${from} -> ${to}`,
  );
}

/**
 * Sets the mtime of an open file; atime stays.
 * @param mtime nanoseconds since 1970
 */
export function setMtime(fd: number, mtime: bigint): void {
  const times = Buffer.alloc(32);
  times.writeBigInt64LE(UTIME_OMIT, 8);
  const second = 1_000_000_000n;
  const nanoseconds = ((mtime % second) + second) % second;
  times.writeBigInt64LE((mtime - nanoseconds) / second, 16);
  times.writeBigInt64LE(nanoseconds, 24);
  check(libc.futimens(fd, times), 'futimens', String(fd));
}

function cString(name: string): Buffer {
  return Buffer.concat([encodeName(name), Buffer.of(0)]);
}

function check(result: number, syscall: string, what: string): void {
  if (result === 0) return;
  const number = ffi.getInt32(libc.__errno_location(), 0);
  const code = errorNames.get(number) ?? `errno ${number}`;
  throw Object.assign(new Error(`${code}: ${syscall} '${what}'`), { code, errno: -number, syscall });
}
