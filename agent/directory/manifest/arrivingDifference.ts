import { bucketOf } from '#core/manifest/buckets.ts';

/** A difference between this copy of Main's manifest and Main's own, while it arrives. */
export class ArrivingDifference {
  /** The paths in buckets that differ which Main has not named: it does not have them. */
  readonly #unnamed = new Set<string>();

  /**
   * @param paths all that are in the copy
   * @param count the number of buckets that were compared
   * @param replaces those that Main replaces
   */
  constructor(paths: Iterable<string>, count: number, replaces: ReadonlySet<number>) {
    if (replaces.size === 0) return;
    for (const path of paths) if (replaces.has(bucketOf(path, count))) this.#unnamed.add(path);
  }

  named(path: string): void {
    this.#unnamed.delete(path);
  }

  /** The paths that are not in Main's manifest, once it has ended. */
  get gone(): Iterable<string> {
    return this.#unnamed;
  }
}
