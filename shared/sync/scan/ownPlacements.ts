import type { Stamp } from '#core/manifest/stamp.ts';
import { parentOf } from '#core/path/relative.ts';
import type { Placed } from '../apply/applierOptions.ts';

/** With fewer objects at once, their events cost next to nothing. */
const MANY = 64;

/**
 * Objects that this program has placed and not adopted yet, by stamp, so that their watch events are ignored. An entry
 * ends when the path is adopted, when recording it failed, and at the latest with the second full scan after it: one may
 * begin in the moment between placing and adopting, and must not take what it finds for another program's change.
 */
export class OwnPlacements {
  readonly #stamps = new Map<string, Stamp>();
  /** What was there when the last full scan began. */
  #atScan = new Set<string>();
  /** Names of which a rename by this program is still to be reported by the kernel, away from them or to them. */
  readonly #renamed = new Set<string>();
  /** Those that another program removed since. */
  readonly #gone = new Set<string>();
  readonly #onLost: (paths: readonly string[]) => void;
  readonly #isWatched: (folder: string) => boolean;

  /**
   * @param onLost called with paths that have to be scanned like any others, since recording them failed
   * @param isWatched true for a folder in which a rename is reported
   */
  constructor(onLost: (paths: readonly string[]) => void, isWatched: (folder: string) => boolean) {
    this.#onLost = onLost;
    this.#isWatched = isWatched;
  }

  /** @param left names from which files were renamed in the same moment, to others or into the trash */
  add(placed: readonly Placed[], left: readonly string[] = []): void {
    const arrivals: string[] = [];
    for (const [path, stamp, isArrival] of placed) {
      this.#stamps.set(path, stamp);
      this.#atScan.delete(path);
      this.#gone.delete(path);
      // A folder has to be looked at in any case: it is to be watched.
      if (isArrival && stamp !== '') arrivals.push(path);
    }
    if (placed.length >= MANY) this.#expectReports(arrivals);
    if (left.length >= MANY) this.#expectReports(left);
  }

  #expectReports(paths: readonly string[]): void {
    let last: { readonly folder: string; readonly isWatched: boolean } | undefined;
    for (const path of paths) {
      this.#atScan.delete(path);
      const folder = parentOf(path);
      if (last?.folder !== folder) last = { folder, isWatched: this.#isWatched(folder) };
      if (last.isWatched) this.#renamed.add(path);
    }
  }

  /**
   * Takes the report of a rename. The first one is this program's own.
   * RACE: another program renames something to or from the same name before anything else is reported, so that the kernel makes one
   * report of both; or it replaces the folder just before the object is placed, and does so in the one that was there.
   * Worst case: that is noticed by the later scan of the folder.
   * @returns true when it says nothing new
   */
  isRename(path: string): boolean {
    return this.#renamed.delete(path);
  }

  has(path: string, stamp: Stamp): boolean {
    return this.#stamps.get(path) === stamp;
  }

  /** Nothing is at this path. */
  vanished(path: string): void {
    if (this.#stamps.has(path)) this.#gone.add(path);
  }

  /** @returns true when it was seen to be gone again since it was placed */
  adopted(path: string): boolean {
    this.#forget(path);
    return this.#gone.delete(path);
  }

  lost(paths: readonly string[]): void {
    for (const path of paths) this.adopted(path);
    this.#onLost(paths);
  }

  /** A full scan begins. */
  scanBegins(): void {
    for (const path of this.#atScan) this.#forget(path);
    this.#atScan = new Set([...this.#stamps.keys(), ...this.#renamed]);
  }

  #forget(path: string): void {
    this.#stamps.delete(path);
    this.#renamed.delete(path);
  }
}
