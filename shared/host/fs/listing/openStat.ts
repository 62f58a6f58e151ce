import { addressOf, statOpen } from '../libc.ts';
import { STATX, STATX_BYTES } from './statx.ts';

const PERMISSIONS = 0o7777;

const words = new Uint32Array(STATX_BYTES / Uint32Array.BYTES_PER_ELEMENT);
const address = addressOf(words);

/** What is said of an open file or folder. */
export interface OpenStat {
  /** Permissions, with the set-id and sticky bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly inode: string;
  /** Nanoseconds since 1970. */
  readonly mtime: bigint;
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
  get mode() {
    return word(STATX.mode) & PERMISSIONS;
  },
  get uid() {
    return word(STATX.uid);
  },
  get gid() {
    return word(STATX.gid);
  },
  get inode() {
    const [low, high] = [word(STATX.inode), word(STATX.inode + 1)];
    return high === 0 ? String(low) : String((BigInt(high) << 32n) | BigInt(low));
  },
  get mtime() {
    const seconds = BigInt.asIntN(64, (BigInt(word(STATX.mtime + 1)) << 32n) | BigInt(word(STATX.mtime)));
    return seconds * 1_000_000_000n + BigInt(word(STATX.mtime + 2));
  },
};

function word(at: number): number {
  return words[at] ?? 0;
}
