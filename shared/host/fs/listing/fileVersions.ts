import { hash } from 'node:crypto';
import { addressOf, statAt, statOpen } from '../libc.ts';
import { STATX, STATX_BYTES } from './statx.ts';

/** The words of what statx(2) writes that identify a version: what else there is may change alone. */
const INODE = [STATX.inode, STATX.inode + 1];
const SIZE = [STATX.size, STATX.size + 1];
const CTIME = [STATX.ctime, STATX.ctime + 1, STATX.ctime + 2];
const MTIME = [STATX.mtime, STATX.mtime + 1, STATX.mtime + 2];
const DEVICE = [STATX.device, STATX.device + 1];
const WORDS = [...INODE, ...SIZE, ...CTIME, ...MTIME, ...DEVICE];
/** Where they are in a row. */
const AT = { inode: 0, size: 2, ctime: 4, mtime: 7, device: 10 } as const;

/** A version of a file, as numbers. */
export interface FileVersion {
  readonly inode: number;
  readonly size: number;
  /** Whole seconds since 1970, and the nanoseconds after them. */
  readonly ctime: readonly [seconds: number, nanoseconds: number];
  /** Nanoseconds since 1970, decimal. */
  readonly mtime: string;
  /** The device's number as Node and libc have it, decimal. */
  readonly device: string;
}

/** The versions of some files, in rows of numbers: one object is for many files, one after the other. */
export class FileVersions {
  readonly #rows: Uint32Array;
  readonly #stat = new Uint32Array(STATX_BYTES / Uint32Array.BYTES_PER_ELEMENT);
  readonly #address = addressOf(this.#stat);
  readonly #row: Row;

  /** @param most number of rows */
  constructor(most: number) {
    this.#rows = new Uint32Array(most * WORDS.length);
    this.#row = new Row(this.#rows);
  }

  /** No row holds a version any more: its inode is 0. */
  clear(): void {
    this.#rows.fill(0);
  }

  /**
   * Reads the version of a name in a folder.
   * @param name address of the name, see `statAt`
   * @returns false when that is not possible, which says nothing about the name
   */
  read(row: number, fd: bigint, name: bigint): boolean {
    if (!statAt(fd, name, this.#address)) return false;
    this.#take(row);
    return true;
  }

  /** Reads the version of an open file. @throws an error with `code`, as Node's fs throws */
  readOpen(row: number, fd: number): void {
    statOpen(fd, this.#address);
    this.#take(row);
  }

  /** The version in a row; valid until the next call. */
  at(row: number): FileVersion {
    this.#row.from = row * WORDS.length;
    return this.#row;
  }

  #take(row: number): void {
    let to = row * WORDS.length;
    for (const word of WORDS) this.#rows[to++] = this.#stat[word] ?? 0;
  }

  /** Differs whenever two sets of as many versions differ. */
  digest(rows: number): string {
    return hash('sha256', this.#rows.subarray(0, rows * WORDS.length), 'base64');
  }
}

class Row implements FileVersion {
  from = 0;
  readonly #rows: Uint32Array;
  /** The last device, whose number is the same for nearly all files of a directory. */
  #device = { major: -1, minor: -1, text: '' };

  constructor(rows: Uint32Array) {
    this.#rows = rows;
  }

  get inode(): number {
    return this.#whole(AT.inode);
  }

  get size(): number {
    return this.#whole(AT.size);
  }

  get ctime(): readonly [seconds: number, nanoseconds: number] {
    return [this.#whole(AT.ctime), this.#word(AT.ctime + 2)];
  }

  get mtime(): string {
    return timeText(this.#whole(AT.mtime), this.#word(AT.mtime + 2));
  }

  get device(): string {
    const major = this.#word(AT.device);
    const minor = this.#word(AT.device + 1);
    if (this.#device.major !== major || this.#device.minor !== minor)
      this.#device = { major, minor, text: String(deviceNumber(BigInt(major), BigInt(minor))) };
    return this.#device.text;
  }

  #word(at: number): number {
    return this.#rows[this.from + at] ?? 0;
  }

  /** A number of 64 bits with a sign. */
  #whole(at: number): number {
    return (this.#word(at + 1) | 0) * 2 ** 32 + this.#word(at);
  }
}

/** Nanoseconds since 1970, decimal. */
export function timeText(seconds: number, nanoseconds: number): string {
  if (seconds > 0) return `${seconds}${String(nanoseconds).padStart(9, '0')}`;
  return String(BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds));
}

/** As makedev(3) in glibc. */
function deviceNumber(major: bigint, minor: bigint): bigint {
  return ((major & ~0xfffn) << 32n) | ((major & 0xfffn) << 8n) | ((minor & ~0xffn) << 12n) | (minor & 0xffn);
}
