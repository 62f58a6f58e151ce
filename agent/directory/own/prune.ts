import type { Step } from '#core/changeSet.ts';
import { entryOf } from '#core/manifest/pathState.ts';
import { parentOf } from '#core/path/relative.ts';
import { decidePath, excludingPattern } from '#core/plan/plan.ts';
import type { PlanInput } from '#core/plan/planInput.ts';
import type { Tree } from '#core/plan/tree.ts';
import type { Replica } from '#sync/scan/replica.ts';

/** The reason that the trash shows for a pruned file. */
export const PRUNED = 'a local file, removed by "prune"';

/**
 * The steps that remove local files, and local folders that become empty. Files of Main and delivered files are never
 * included, whatever was requested: the planner decides.
 */
export function stepsToPrune(
  paths: readonly string[],
  replica: Tree & Pick<Replica, 'stampAt'>,
  input: PlanInput,
): Step[] {
  const steps = new Map<string, Step>();
  const isLocal = (path: string): boolean =>
    decidePath(input, path).kind === 'local' && excludingPattern(input, path) === undefined;
  const add = (path: string): void => {
    const entry = entryOf(replica.get(path));
    if (entry === undefined || !isLocal(path)) return;
    // Any entry of an empty folder matches: its stamp changes with each removed file.
    const expect = entry.type === 'folder' ? '' : (replica.stampAt(path) ?? '');
    steps.set(path, { kind: 'remove', path, entry, expect, reason: PRUNED });
  };
  for (const path of paths) add(path);
  for (const path of paths) {
    for (let folder = parentOf(path); folder !== ''; folder = parentOf(folder)) {
      if (steps.has(folder) || !becomesEmpty(folder, replica, steps)) continue;
      add(folder);
    }
  }
  // A named folder is removed only if everything in it is.
  for (const [path, { entry }] of steps)
    if (entry.type === 'folder' && !becomesEmpty(path, replica, steps)) steps.delete(path);
  return [...steps.values()];
}

function becomesEmpty(folder: string, replica: Tree, steps: ReadonlyMap<string, Step>): boolean {
  if (replica.holdsOverride(folder)) return false;
  for (const child of replica.childrenOf(folder)) if (!steps.has(child)) return false;
  return true;
}
