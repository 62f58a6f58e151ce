import { hash } from 'node:crypto';
import { decodeName } from '#core/path/nameBytes.ts';
import { addressOf, readEntries } from '../libc.ts';
import type { FileVersions } from './fileVersions.ts';

/** Where the parts of an entry of getdents64(2) are. */
const LENGTH = 16;
const KIND = 18;
const NAME = 19;
/** The kind of an ordinary file. A file system that does not say kinds has 0 for all. */
const FILE = 8;
const DOT = '.'.charCodeAt(0);

/** The names in one folder at one moment, in the order of the kernel. They become texts only when they are asked for. */
export class Listing {
  /** Differs whenever a name, its kind, its inode or the order does. */
  readonly digest: string;
  /** Number of names. */
  readonly size: number;
  readonly #bytes: Buffer;
  readonly #address: bigint;
  /** Where the entry of each name begins. */
  readonly #entries: Uint32Array;

  /**
   * @param fd the open folder
   * @throws an error with `code`, as Node's fs throws
   */
  constructor(fd: number) {
    const bytes = readEntries(fd);
    const entries: number[] = [];
    for (let at = 0; at < bytes.length; at += bytes.readUInt16LE(at + LENGTH))
      if (!isDots(bytes, at + NAME)) entries.push(at);
    this.#bytes = bytes;
    this.#address = addressOf(bytes);
    this.#entries = Uint32Array.from(entries);
    this.size = entries.length;
    this.digest = hash('sha256', bytes, 'base64');
  }

  name(number: number): string {
    const from = this.#at(number) + NAME;
    const to = this.#bytes.indexOf(0, from);
    const name = this.#bytes.toString('utf8', from, to);
    // A replacement character means that it may not be UTF-8. Only then its bytes are looked at, which is slower.
    return name.includes('\ufffd') ? decodeName(this.#bytes.subarray(from, to)) : name;
  }

  *names(): Iterable<string> {
    for (let number = 0; number < this.size; number++) yield this.name(number);
  }

  /** True for an ordinary file; false where the file system does not say what it is. */
  isFile(number: number): boolean {
    return this.#bytes[this.#at(number) + KIND] === FILE;
  }

  /** Reads the versions of the ordinary files from one number to another. @param fd the open folder */
  readVersions(fd: number, from: number, to: number, into: FileVersions): void {
    into.clear();
    const folder = BigInt(fd);
    for (let number = from; number < to; number++)
      if (this.isFile(number))
        into.read(number - from, folder, this.#address + BigInt(this.#at(number) + NAME));
  }

  #at(number: number): number {
    return this.#entries[number] ?? 0;
  }
}

/** `.` and `..` are in every folder. */
function isDots(bytes: Buffer, at: number): boolean {
  return bytes[at] === DOT && (bytes[at + 1] === 0 || (bytes[at + 1] === DOT && bytes[at + 2] === 0));
}
