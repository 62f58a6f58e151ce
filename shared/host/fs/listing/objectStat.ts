import { type BigIntStats, constants, lstatSync } from 'node:fs';
import { saysMissing } from '../errno.ts';
import { addressOf, lastError, statNamed } from '../libc.ts';
import { VersionReader } from './fileVersion.ts';
import { STATX, STATX_BYTES } from './statx.ts';

/** What lstat(2) says of an object, as far as this program asks; Node's own stats with whole numbers of 64 bits are such. */
export type ObjectStat = Pick<
  BigIntStats,
  | 'dev'
  | 'ino'
  | 'size'
  | 'mode'
  | 'uid'
  | 'gid'
  | 'mtimeNs'
  | 'ctimeNs'
  | 'birthtimeNs'
  | 'isFile'
  | 'isDirectory'
  | 'isSymbolicLink'
  | 'isFIFO'
  | 'isSocket'
>;

const words = new Uint32Array(STATX_BYTES / Uint32Array.BYTES_PER_ELEMENT);
/** The same memory by twice as many bytes. */
const wide = new BigInt64Array(words.buffer);
const unsigned = new BigUint64Array(words.buffer);
const address = addressOf(words);
const version = new VersionReader(words, STATX);
const NANOSECONDS = 1_000_000_000n;

/**
 * Looks at a name in a folder, not following a link, at half of what `fs.lstat` costs.
 * @param folder the open folder
 * @param asPath the same name for Node's fs, which says what is wrong in the words of all other errors
 * @returns undefined when nothing has the name
 * @throws Node's fs errors
 */
export function objectAt(
  folder: number,
  name: string,
  asPath: () => string | Buffer,
): ObjectStat | undefined {
  if (statNamed(folder, name, address)) return new StatxObject();
  if (saysMissing(lastError().code)) return undefined;
  return lstatSync(asPath(), { bigint: true, throwIfNoEntry: false });
}

/** What was last written to {@link words}. */
class StatxObject implements ObjectStat {
  readonly dev = BigInt(version.device);
  readonly ino = unsigned[STATX.inode / 2] ?? 0n;
  readonly size = wide[STATX.size / 2] ?? 0n;
  readonly mode = BigInt((words[STATX.mode] ?? 0) & 0xffff);
  readonly uid = BigInt(words[STATX.uid] ?? 0);
  readonly gid = BigInt(words[STATX.gid] ?? 0);
  readonly mtimeNs = timeAt(STATX.mtime);
  readonly ctimeNs = timeAt(STATX.ctime);
  readonly birthtimeNs = timeAt(STATX.birthtime);

  isFile(): boolean {
    return this.#is(constants.S_IFREG);
  }

  isDirectory(): boolean {
    return this.#is(constants.S_IFDIR);
  }

  isSymbolicLink(): boolean {
    return this.#is(constants.S_IFLNK);
  }

  isFIFO(): boolean {
    return this.#is(constants.S_IFIFO);
  }

  isSocket(): boolean {
    return this.#is(constants.S_IFSOCK);
  }

  #is(kind: number): boolean {
    return (Number(this.mode) & constants.S_IFMT) === kind;
  }
}

/** Nanoseconds since 1970. @param at words before it */
function timeAt(at: number): bigint {
  return (wide[at / 2] ?? 0n) * NANOSECONDS + BigInt(words[at + 2] ?? 0);
}
