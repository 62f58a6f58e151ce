import { type FileEntry, sameEntry } from '#core/manifest/entry.ts';
import type { Decision } from '#core/plan/decision.ts';

/** Files that are to be renamed here. */
export type Moves = {
  /** The present name, by the new one. */
  readonly from: ReadonlyMap<string, string>;
  /** The new name, by the present one. */
  readonly to: ReadonlyMap<string, string>;
};

/** @param from the present name of each, by the new one */
export function bothWays(from: ReadonlyMap<string, string>): Moves {
  return { from, to: new Map(Array.from(from, ([path, before]) => [before, path])) };
}

/**
 * Finds files that Main has renamed: a new file whose name is free here and which equals a file that is to be removed.
 * This host renames it, without reading or writing it. Pure.
 * @returns the present name of each, by the new one
 */
export function movesIn(items: Iterable<readonly [path: string, decision: Decision]>): Map<string, string> {
  const going = new Map<string, { path: string; entry: FileEntry }[]>();
  for (const [path, item] of items) {
    if (item.kind !== 'remove' || item.expect.type !== 'file') continue;
    const same = going.get(item.expect.hash);
    if (same === undefined) going.set(item.expect.hash, [{ path, entry: item.expect }]);
    else same.push({ path, entry: item.expect });
  }
  const moves = new Map<string, string>();
  if (going.size === 0) return moves;
  for (const [path, item] of items) {
    if (item.kind !== 'deliver' || item.entry.type !== 'file' || !item.content) continue;
    if (item.expect !== undefined || item.replacesSpecial) continue;
    const { entry } = item;
    const same = going.get(entry.hash) ?? [];
    const index = same.findIndex((each) => sameEntry(each.entry, entry));
    const [from] = index < 0 ? [] : same.splice(index, 1);
    if (from !== undefined) moves.set(path, from.path);
  }
  return moves;
}
