import { hash } from 'node:crypto';
import { addressOf, statAt, statNamed } from '../libc.ts';
import { type FileVersion, VersionReader } from './fileVersion.ts';
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

/** The versions of some files, in rows of numbers: one object is for many files, one after the other. */
export class FileVersions {
  readonly #rows: Uint32Array;
  readonly #stat = new Uint32Array(STATX_BYTES / Uint32Array.BYTES_PER_ELEMENT);
  readonly #address = addressOf(this.#stat);
  readonly #row: VersionReader;

  /** @param most number of rows */
  constructor(most: number) {
    this.#rows = new Uint32Array(most * WORDS.length);
    this.#row = new VersionReader(this.#rows, AT);
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

  /** The same for the text of a name. */
  readNamed(row: number, folder: number, name: string): boolean {
    if (!statNamed(folder, name, this.#address)) return false;
    this.#take(row);
    return true;
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
