import { type Entry, sameContent } from '#core/manifest/entry.ts';
import { entryOf } from '#core/manifest/pathState.ts';
import { parentOf } from '#core/path/relative.ts';
import type { Tree } from '#core/plan/tree.ts';
import type { PathRevision } from './revisionLog.ts';
import type { UndoStep } from './undo.ts';

/** A revision with its time. */
export type TimedRevision = PathRevision & { readonly at: number };

/**
 * The versions to restore for a file, or for the missing files below a folder. Pure.
 *
 * For the named path it is the version before the current one; for paths below it, those that are missing now. With a
 * time, it is the state at that time. Nothing is ever removed.
 * @param revisions revisions at or below the path, latest first
 * @param at milliseconds since 1970
 */
export function wantedBack(
  revisions: readonly TimedRevision[],
  named: string,
  now: Tree,
  at: number | undefined,
): UndoStep[] {
  const wanted = new Map<string, Entry>();
  if (at === undefined) {
    for (const { path, before } of revisions) {
      if (before === null || wanted.has(path)) continue;
      const present = entryOf(now.get(path));
      if (
        present === undefined ||
        (path === named && before.type === 'file' && !sameContent(before, present))
      )
        wanted.set(path, before);
    }
  } else {
    // The oldest change since then has the entry of that time.
    for (const { path, before, at: when } of revisions) {
      if (when <= at) continue;
      if (before === null) wanted.delete(path);
      else wanted.set(path, before);
    }
  }
  return stepsFor(wanted, revisions, now);
}

/** The entries that a change set removed or replaced. @param numbers the first revision of each path's change */
export function wantedBefore(
  revisions: readonly TimedRevision[],
  numbers: ReadonlyMap<string, number>,
  now: Tree,
): UndoStep[] {
  const wanted = new Map<string, Entry>();
  for (const { path, before, number } of revisions) {
    if (numbers.get(path) === number && before !== null) wanted.set(path, before);
  }
  return stepsFor(wanted, revisions, now);
}

function stepsFor(wanted: Map<string, Entry>, revisions: readonly TimedRevision[], now: Tree): UndoStep[] {
  // A folder that was removed with its content is restored with it.
  for (const path of [...wanted.keys()]) {
    for (let above = parentOf(path); above !== ''; above = parentOf(above)) {
      if (wanted.has(above) || now.get(above) !== undefined) continue;
      const before = revisions.find((each) => each.path === above && each.before?.type === 'folder')?.before;
      if (before) wanted.set(above, before);
    }
  }
  return [...wanted]
    .filter(([path, entry]) => {
      const present = entryOf(now.get(path));
      return present === undefined || !sameContent(entry, present);
    })
    .map(([path, entry]): UndoStep => ({ kind: 'put', path, entry }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}
