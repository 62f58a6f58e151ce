import type { Stamp } from '#core/manifest/stamp.ts';

/**
 * What this program itself has put in place and not adopted yet: the watch sees it come, and it is no news. Ends when
 * it is adopted, when it could not be written down, and with the next reading of everything at the latest.
 */
export class OwnPlacements {
  readonly #stamps = new Map<string, Stamp>();
  readonly #onLost: (paths: readonly string[]) => void;

  /** @param onLost what was put at these paths is to be read like everybody else's */
  constructor(onLost: (paths: readonly string[]) => void) {
    this.#onLost = onLost;
  }

  add(placed: Iterable<readonly [path: string, stamp: Stamp]>): void {
    for (const [path, stamp] of placed) this.#stamps.set(path, stamp);
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

  clear(): void {
    this.#stamps.clear();
  }
}
