import type { Stamp } from '#core/manifest/stamp.ts';

/**
 * Objects that this program has placed and not adopted yet, by stamp, so that their watch events are ignored. An entry
 * ends when the path is adopted, when recording it failed, and at the latest with the second full scan after it: one may
 * begin in the moment between placing and adopting, and must not take what it finds for another program's change.
 */
export class OwnPlacements {
  readonly #stamps = new Map<string, Stamp>();
  /** What was there when the last full scan began. */
  #atScan = new Set<string>();
  readonly #onLost: (paths: readonly string[]) => void;

  /** @param onLost called with paths that have to be scanned like any others, since recording them failed */
  constructor(onLost: (paths: readonly string[]) => void) {
    this.#onLost = onLost;
  }

  add(placed: Iterable<readonly [path: string, stamp: Stamp]>): void {
    for (const [path, stamp] of placed) {
      this.#stamps.set(path, stamp);
      this.#atScan.delete(path);
    }
  }

  has(path: string, stamp: Stamp): boolean {
    return this.#stamps.get(path) === stamp;
  }

  adopted(path: string): void {
    this.#stamps.delete(path);
  }

  lost(paths: readonly string[]): void {
    for (const path of paths) this.#stamps.delete(path);
    this.#onLost(paths);
  }

  /** A full scan begins. */
  scanBegins(): void {
    for (const path of this.#atScan) this.#stamps.delete(path);
    this.#atScan = new Set(this.#stamps.keys());
  }
}
