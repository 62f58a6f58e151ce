import type { FileTime } from '#core/manifest/fileTime.ts';

/** A version of a file, as numbers. */
export interface FileVersion {
  readonly inode: number;
  readonly size: number;
  readonly ctime: FileTime;
  readonly mtime: FileTime;
  /** The device's number as Node and libc have it, decimal. */
  readonly device: string;
}

/** Where the parts of a version are, in words of four bytes: see {@link STATX}. */
type Places = Readonly<Record<'inode' | 'size' | 'ctime' | 'mtime' | 'device', number>>;

/** A version of a file, read from what statx(2) wrote, or from a part of it. */
export class VersionReader implements FileVersion {
  /** Where it begins. */
  from = 0;
  readonly #rows: Uint32Array;
  readonly #at: Places;
  /** The last device, whose number is the same for nearly all files of a directory. */
  #device = { major: -1, minor: -1, text: '' };

  constructor(rows: Uint32Array, at: Places) {
    this.#rows = rows;
    this.#at = at;
  }

  get inode(): number {
    return this.#whole(this.#at.inode);
  }

  get size(): number {
    return this.#whole(this.#at.size);
  }

  get ctime(): FileTime {
    return this.#time(this.#at.ctime);
  }

  get mtime(): FileTime {
    return this.#time(this.#at.mtime);
  }

  get device(): string {
    const major = this.#word(this.#at.device);
    const minor = this.#word(this.#at.device + 1);
    if (this.#device.major !== major || this.#device.minor !== minor)
      this.#device = { major, minor, text: String(deviceNumber(BigInt(major), BigInt(minor))) };
    return this.#device.text;
  }

  /** Exact, decimal. */
  get inodeText(): string {
    const { inode } = this;
    if (inode >= 0 && Number.isSafeInteger(inode)) return String(inode);
    const [low, high] = [this.#word(this.#at.inode), this.#word(this.#at.inode + 1)];
    return String((BigInt(high) << 32n) | BigInt(low));
  }

  #time(at: number): FileTime {
    return [this.#whole(at), this.#word(at + 2)];
  }

  #word(at: number): number {
    return this.#rows[this.from + at] ?? 0;
  }

  /** A number of 64 bits with a sign. */
  #whole(at: number): number {
    return (this.#word(at + 1) | 0) * 2 ** 32 + this.#word(at);
  }
}

/** As makedev(3) in glibc. */
function deviceNumber(major: bigint, minor: bigint): bigint {
  return ((major & ~0xfffn) << 32n) | ((major & 0xfffn) << 8n) | ((minor & ~0xffn) << 12n) | (minor & 0xffn);
}
