import type { FileEntry } from '../entry.ts';
import { type FileTime, timeOf, timeText } from '../fileTime.ts';
import { Ownerships } from './ownerships.ts';
import { PART, Rows } from './rows.ts';

const HASH_BYTES = 32;
const HASH_WORDS = HASH_BYTES / Int32Array.BYTES_PER_ELEMENT;

/** Some rows. */
class Part {
  readonly hashes = new Int32Array(PART * HASH_WORDS);
  readonly hashBytes = Buffer.from(this.hashes.buffer);
  readonly sizes = new Float64Array(PART);
  readonly seconds = new Float64Array(PART);
  readonly nanoseconds = new Uint32Array(PART);
  readonly modes = new Uint16Array(PART);
  readonly ownerships = new Uint16Array(PART);
  /** How many use a row. */
  readonly uses = new Uint32Array(PART);
}

/** An entry that was taken apart, as it is in a row. */
class Packed {
  readonly hash = new Int32Array(HASH_WORDS);
  readonly hashBytes = Buffer.from(this.hash.buffer);
  size = 0;
  seconds = 0;
  nanoseconds = 0;
  mode = 0;
  ownership = 0;
}

/** Entries of files as rows of numbers, a third of an object's memory and none of it the garbage collector's concern. */
export class FileColumns {
  /** The entry that was packed last. */
  readonly #packed = new Packed();
  readonly #rows = new Rows(() => new Part());
  readonly #ownerships = new Ownerships();

  /**
   * Takes an entry apart, for what follows.
   * @returns false when a row can't hold it exactly
   */
  pack(entry: FileEntry): boolean {
    const packed = this.#packed;
    const time = timeOf(entry.mtime);
    const ownership = this.#ownerships.numberOf(entry);
    if (time === undefined || ownership === undefined) return false;
    // An entry's hash is in lower case, see the schema; what is no hash at all is not written as a whole.
    if (entry.hash.length !== 2 * HASH_BYTES || packed.hashBytes.write(entry.hash, 'hex') !== HASH_BYTES)
      return false;
    packed.size = entry.size;
    [packed.seconds, packed.nanoseconds] = time;
    packed.mode = entry.mode;
    packed.ownership = ownership;
    return true;
  }

  /** Rows in use. */
  get size(): number {
    return this.#rows.size;
  }

  /** Puts what was packed into a row, which has one use then. @returns the row */
  add(): number {
    const packed = this.#packed;
    const row = this.#rows.take();
    const part = this.#rows.partOf(row);
    const at = row % PART;
    part.hashes.set(packed.hash, at * HASH_WORDS);
    part.sizes[at] = packed.size;
    part.seconds[at] = packed.seconds;
    part.nanoseconds[at] = packed.nanoseconds;
    part.modes[at] = packed.mode;
    part.ownerships[at] = packed.ownership;
    part.uses[at] = 1;
    return row;
  }

  /** @param row that has no use any more */
  remove(row: number): void {
    this.#rows.giveBack(row);
  }

  /** True when a row holds what was packed. */
  equals(row: number): boolean {
    const packed = this.#packed;
    const part = this.#rows.partOf(row);
    const at = row % PART;
    for (let word = 0; word < HASH_WORDS; word++)
      if (part.hashes[at * HASH_WORDS + word] !== packed.hash[word]) return false;
    return (
      part.seconds[at] === packed.seconds &&
      part.nanoseconds[at] === packed.nanoseconds &&
      part.sizes[at] === packed.size &&
      part.modes[at] === packed.mode &&
      part.ownerships[at] === packed.ownership
    );
  }

  /** The entry of a row, a new object each time. */
  entry(row: number): FileEntry {
    const part = this.#rows.partOf(row);
    const at = row % PART;
    const { owner, group, uid, gid } = this.#ownerships.at(part.ownerships[at] ?? 0);
    return {
      type: 'file',
      size: part.sizes[at] ?? 0,
      mtime: timeText(part.seconds[at] ?? 0, part.nanoseconds[at] ?? 0),
      mode: part.modes[at] ?? 0,
      owner,
      group,
      uid,
      gid,
      hash: part.hashBytes.toString('hex', at * HASH_BYTES, (at + 1) * HASH_BYTES),
    };
  }

  /** True when a row has this size and time. */
  isOf(row: number, size: number, [seconds, nanoseconds]: FileTime): boolean {
    const part = this.#rows.partOf(row);
    const at = row % PART;
    return part.sizes[at] === size && part.seconds[at] === seconds && part.nanoseconds[at] === nanoseconds;
  }

  sizeOf(row: number): number {
    return this.#rows.partOf(row).sizes[row % PART] ?? 0;
  }

  /** The first word of a row's hash, which is usually different where the hashes are. */
  hashWord(row: number): number {
    return this.#rows.partOf(row).hashes[(row % PART) * HASH_WORDS] ?? 0;
  }

  /** Where a row belongs in a hash table, 32 bits: very many files may have the same content, time or owner. */
  placeOf(row: number): number {
    const part = this.#rows.partOf(row);
    const at = row % PART;
    const word = part.hashes[at * HASH_WORDS] ?? 0;
    const metadata = metadataWord(part.modes[at] ?? 0, part.ownerships[at] ?? 0);
    return place(word, part.seconds[at] ?? 0, part.nanoseconds[at] ?? 0, metadata);
  }

  /** The same for what was packed. */
  get placeOfPacked(): number {
    const { hash, seconds, nanoseconds, mode, ownership } = this.#packed;
    return place(hash[0] ?? 0, seconds, nanoseconds, metadataWord(mode, ownership));
  }

  /** Changes how many use a row. @returns how many do now @throws RangeError when none did, and it should be one less */
  use(row: number, more: 1 | -1): number {
    const { uses } = this.#rows.partOf(row);
    const now = (uses[row % PART] ?? 0) + more;
    if (now < 0) throw new RangeError(`row ${row} is not in use`);
    return (uses[row % PART] = now);
  }
}

function metadataWord(mode: number, ownership: number): number {
  return (ownership << 16) | mode;
}

/** Mixes with the multipliers of MurmurHash3 (MurmurHash3_x86_32 of Appleby, 2011). */
function place(word: number, seconds: number, nanoseconds: number, metadata: number): number {
  const time = Math.imul(nanoseconds, 0x85eb_ca6b) ^ Math.imul(seconds | 0, 0xc2b2_ae35);
  const mixed = word ^ time ^ Math.imul(metadata, 0xcc9e_2d51);
  return mixed ^ (mixed >>> 15);
}
