import type { FileVersion } from '#host/fs/listing/fileVersion.ts';
import { timeOf, timeText } from '#core/manifest/fileTime.ts';
import type { FileEntry } from '#core/manifest/entry.ts';
import type { Stamp } from '#core/manifest/stamp.ts';
import { filePool } from '#core/manifest/kept/filePool.ts';
import { PART, Rows } from '#core/manifest/kept/rows.ts';

const NONE = -1;
/** Devices of one directory: files lie on its own one, except where something else is mounted inside. */
const MOST_DEVICES = 0x1_0000;

/** Some rows. */
class Part {
  /** The number of the entry in the {@link filePool}. */
  readonly entries = new Int32Array(PART).fill(NONE);
  readonly devices = new Uint16Array(PART);
  readonly inodes = new Float64Array(PART);
  readonly seconds = new Float64Array(PART);
  readonly nanoseconds = new Uint32Array(PART);
}

/** A settled file as it is known, with what the entry does not say of the stamp. */
export type IndexedFile = { readonly entry: FileEntry; readonly stamp: Stamp };

/** Settled files with their stamps, as rows of numbers: there are as many as files. */
export class IndexedFiles {
  readonly #rows = new Rows(() => new Part());
  readonly #devices: string[] = [];

  constructor() {
    const { parts } = this.#rows;
    filePool.releaseWith(this, () => entriesIn(parts));
  }

  /** @returns the row; undefined when a row can't hold this exactly, as with a stamp from before a change of metadata */
  add({ entry, stamp }: IndexedFile): number | undefined {
    const [device = '', inode = '', size, mtime, ctime = '', ...more] = stamp.split(':');
    const changed = timeOf(ctime);
    const number = Number(inode);
    const isWhole = more.length === 0 && size === String(entry.size) && mtime === entry.mtime;
    if (!isWhole || changed === undefined || String(number) !== inode) return undefined;
    const known = this.#deviceNumber(device);
    const kept = known === undefined ? undefined : filePool.keep(entry);
    if (known === undefined || kept === undefined) return undefined;
    const row = this.#rows.take();
    const part = this.#rows.partOf(row);
    const at = row % PART;
    part.entries[at] = kept;
    part.devices[at] = known;
    part.inodes[at] = number;
    [part.seconds[at], part.nanoseconds[at]] = changed;
    return row;
  }

  remove(row: number): void {
    const part = this.#rows.partOf(row);
    const at = row % PART;
    filePool.release(part.entries[at] ?? NONE);
    part.entries[at] = NONE;
    this.#rows.giveBack(row);
  }

  entry(row: number): FileEntry {
    return filePool.at(this.number(row));
  }

  /** The number of the row's entry in the {@link filePool}. */
  number(row: number): number {
    const part = this.#rows.partOf(row);
    const at = row % PART;
    return part.entries[at] ?? NONE;
  }

  /** The stamp of a file in a row. @param entry its entry */
  stamp(row: number, { size, mtime }: FileEntry): Stamp {
    const part = this.#rows.partOf(row);
    const at = row % PART;
    const ctime = timeText(part.seconds[at] ?? 0, part.nanoseconds[at] ?? 0);
    // Joined: a template would make a string of nested parts.
    return [this.#devices[part.devices[at] ?? 0], part.inodes[at], size, mtime, ctime].join(':');
  }

  /** True when this is the version of the file that a row holds. */
  isOf(row: number, found: FileVersion): boolean {
    const part = this.#rows.partOf(row);
    const at = row % PART;
    // Above that, several inodes are one number.
    if (part.inodes[at] !== found.inode || !Number.isSafeInteger(found.inode)) return false;
    const [seconds, nanoseconds] = found.ctime;
    if (part.seconds[at] !== seconds || part.nanoseconds[at] !== nanoseconds) return false;
    return (
      this.#devices[part.devices[at] ?? 0] === found.device &&
      filePool.isOf(part.entries[at] ?? NONE, found.size, found.mtime)
    );
  }

  #deviceNumber(device: string): number | undefined {
    const known = this.#devices.indexOf(device);
    if (known !== -1) return known;
    if (this.#devices.length === MOST_DEVICES) return undefined;
    return this.#devices.push(device) - 1;
  }
}

function* entriesIn(parts: readonly Part[]): Iterable<number> {
  for (const { entries } of parts) for (const number of entries) if (number !== NONE) yield number;
}
