import type { ManifestItem, SavesOfItems } from '#protocol/messages/common.ts';

/** Paths whose save is remembered: more than the largest save has. */
const MAX_SAVES = 200_000;

/** The saves by which paths became what they are on Main, as far as Main says so. */
export class SavesOfPaths {
  readonly #saves = new Map<string, string>();

  /** The id of the save by which a path became what it is, or went, on Main; null where Main does not say it. */
  of(path: string): string | null {
    return this.#saves.get(path) ?? null;
  }

  /** Notes what came with a message of Main: what it does not name came by no known save. */
  note(items: readonly ManifestItem[], saves: SavesOfItems | undefined): void {
    for (const [number, { path }] of items.entries()) {
      const save = saves?.ids[saves.of[number] ?? -1];
      // The newest last: the oldest make room.
      this.#saves.delete(path);
      if (save !== undefined && path !== '') this.#saves.set(path, save);
    }
    for (const path of this.#saves.keys()) {
      if (this.#saves.size <= MAX_SAVES) break;
      this.#saves.delete(path);
    }
  }

  clear(): void {
    this.#saves.clear();
  }
}
