import { constants } from 'node:fs';
import { timeText } from '#core/manifest/fileTime.ts';
import type { Stamp } from '#core/manifest/stamp.ts';
import { addressOf, statOpen } from '../libc.ts';
import { VersionReader } from './fileVersion.ts';
import { STATX, STATX_BYTES } from './statx.ts';

const PERMISSIONS = 0o7777;

const words = new Uint32Array(STATX_BYTES / Uint32Array.BYTES_PER_ELEMENT);
const address = addressOf(words);
const version = new VersionReader(words, STATX);

/** What is said of an open file or folder. */
export interface OpenStat {
  readonly isFile: boolean;
  readonly size: number;
  /** Permissions, with the set-id and sticky bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly inode: string;
  /** Nanoseconds since 1970. */
  readonly mtime: bigint;
  readonly stamp: Stamp;
}

/**
 * Looks at an open file or folder, at a fraction of what `fs.fstat` costs with whole numbers of 64 bits.
 * @returns the same object for all calls
 * @throws an error with `code`, as Node's fs throws
 */
export function openStat(fd: number): OpenStat {
  statOpen(fd, address);
  return last;
}

const last: OpenStat = {
  get isFile() {
    return (mode() & constants.S_IFMT) === constants.S_IFREG;
  },
  get size() {
    return version.size;
  },
  get mode() {
    return mode() & PERMISSIONS;
  },
  get uid() {
    return words[STATX.uid] ?? 0;
  },
  get gid() {
    return words[STATX.gid] ?? 0;
  },
  get inode() {
    return version.inodeText;
  },
  get mtime() {
    return BigInt(timeText(...version.mtime));
  },
  get stamp() {
    const { device, inodeText, size, mtime, ctime } = version;
    return `${device}:${inodeText}:${size}:${timeText(...mtime)}:${timeText(...ctime)}`;
  },
};

function mode(): number {
  return (words[STATX.mode] ?? 0) & 0xffff;
}
