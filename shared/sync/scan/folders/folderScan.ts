import type { FileVersion } from '#host/fs/listing/fileVersion.ts';
import { FileVersions } from '#host/fs/listing/fileVersions.ts';
import type { Folder } from '#host/fs/folder.ts';
import type { Listing } from '#host/fs/listing/listing.ts';
import type { TimeSlice } from '#host/time/timeSlice.ts';
import { OVERRIDE_PREFIX } from '#core/path/names.ts';
import type { Stamp } from '#core/manifest/stamp.ts';
import { baseOf, joinPath } from '#core/path/relative.ts';
import type { ScannedPaths } from '../scannedPaths.ts';

/** Names whose versions are read and compared together. */
const PART = 256;
/** Names that are put in order at a time: of a million, the texts would take memory. */
const IN_ORDER = 16_384;

export type FolderScanOptions = {
  readonly paths: ScannedPaths;
  /** True for a version of a file that waits to be read already. */
  readonly isAwaited: (path: string, found: FileVersion) => boolean;
  /** Called with a name that is not there any more. */
  readonly vanish: (path: string) => void;
};

/** One folder that is scanned. */
export type ScannedFolder = {
  readonly path: string;
  /** Its names when the scan began. */
  readonly listing: Listing;
  /** The folder itself, which may be opened again during a pause. */
  readonly handle: () => Folder;
  /**
   * Inspects a name that is new, or not as it is known; and each that is no ordinary file.
   * @param renamed the stamp of a file that is here under another name than before, and otherwise as it was
   */
  readonly inspect: (name: string, path: string, renamed: Stamp | undefined) => void;
  /** Called after some were inspected, before anything else may happen. */
  readonly inspected: () => void;
};

/** Names, each with the stamp of a file that is here under another name than before. */
type ToInspect = Map<string, Stamp | undefined>;

/** Compares folders with what is known of them: as a whole where nothing has changed, otherwise name by name. */
export class FolderScan {
  readonly #options: FolderScanOptions;
  readonly #versions = new FileVersions(PART);

  constructor(options: FolderScanOptions) {
    this.#options = options;
  }

  /** @param slice lets others work, and throws when the scan has to end */
  async read(folder: ScannedFolder, slice: TimeSlice): Promise<void> {
    const { paths, isAwaited, vanish } = this.#options;
    const { path, listing, handle } = folder;
    const before = paths.index.confirmed.get(path);
    const isSame = before?.names === listing.digest;
    const names = isSame ? undefined : new Set(listing.names());
    // As of the listing: what this program places while the loop rests is not in it, and not missing.
    const missing = names === undefined ? [] : this.#missing(path, names);
    const confirmed = paths.index.confirmed.begin(path);
    const overrides = new Set<string>();
    const toInspect: ToInspect = new Map();
    for (let from = 0; from < listing.size; from += PART) {
      const to = Math.min(listing.size, from + PART);
      listing.readVersions(handle().fd, from, to, this.#versions);
      const digest = this.#versions.digest(to - from);
      const isKnown = isSame && before?.parts[from / PART] === digest;
      let areKnown = true;
      for (let number = from; number < to; number++) {
        if (isKnown && listing.isFile(number)) continue;
        const name = listing.name(number);
        if (name.startsWith(OVERRIDE_PREFIX)) overrides.add(name);
        else if (!this.#isKnown(folder, number, from, name)) {
          const isFile = listing.isFile(number);
          if (isFile) areKnown = false;
          const version = this.#versions.at(number - from);
          if (isFile && isAwaited(joinPath(path, name), version)) continue;
          toInspect.set(name, isFile ? paths.departed.stampOf(version) : undefined);
        }
        if (slice.due) await slice.pause();
      }
      confirmed.parts.push(areKnown ? digest : '');
      if (toInspect.size >= IN_ORDER) await this.#inspect(folder, toInspect, slice);
      if (slice.due) await slice.pause();
    }
    await this.#inspect(folder, toInspect, slice);
    if (names !== undefined) {
      paths.setOverrides(path, overrides);
      paths.keepExcluded(path, names);
    }
    for (const name of missing) vanish(joinPath(path, name));
    if (missing.length === 0) confirmed.names = listing.digest;
  }

  /**
   * Inspects names in their order, which is also that of the state's tables: the rows of files that travel together then lie
   * together. A file system lists names by a hash, so that each transaction would write to pages all over a table.
   */
  async #inspect(folder: ScannedFolder, toInspect: ToInspect, slice: TimeSlice): Promise<void> {
    for (const name of [...toInspect.keys()].sort()) {
      folder.inspect(name, joinPath(folder.path, name), toInspect.get(name));
      if (!slice.due) continue;
      folder.inspected();
      await slice.pause();
    }
    folder.inspected();
    toInspect.clear();
  }

  /** True for a file of which this version is known. */
  #isKnown({ path, listing }: ScannedFolder, number: number, from: number, name: string): boolean {
    if (!listing.isFile(number)) return false;
    return this.#options.paths.index.holds(joinPath(path, name), this.#versions.at(number - from));
  }

  #missing(folder: string, names: ReadonlySet<string>): string[] {
    const known = [...this.#options.paths.index.childrenOf(folder)];
    return known.map(baseOf).filter((name) => !names.has(name));
  }
}
