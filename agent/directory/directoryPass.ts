import { isChange } from '#core/plan/plan.ts';
import type { SyncDirectory } from '#sync/directory/syncDirectory.ts';
import { type DirectoryPass, withObstacles } from './answers/explain.ts';
import type { MainManifest } from './manifest/mainManifest.ts';
import type { PlanAnswers } from './answers/planAnswers.ts';
import type { Reconciler } from './reconciler.ts';

/**
 * Scans one directory, plans everything, and works until nothing is left to do.
 * @returns the actions, and whether all were done; the others have a reason
 */
export async function directoryPass(
  sync: SyncDirectory,
  reconciler: Reconciler,
  main: {
    readonly mainManifest: MainManifest;
    readonly plans: PlanAnswers;
    readonly isConnected: () => boolean;
  },
): Promise<DirectoryPass> {
  const { mainManifest, plans, isConnected } = main;
  reconciler.resetBackoff();
  await sync.readAgain();
  const isAtRest = reconciler.isAtRest && mainManifest.isReady;
  const planned = plans.plannedActions();
  // That plan covered everything and was empty, so another one would be, too.
  if (isAtRest && planned.length === 0 && reconciler.isAtRest) return { ok: true, actions: [] };
  reconciler.wake('all');
  await reconciler.whenIdle();
  const left = isConnected() ? reconciler.plan() : undefined;
  const behind =
    left === undefined ||
    left.held !== undefined ||
    [...left.decisions.values()].some((d) => isChange(d) || (d.kind === 'skip' && d.failed));
  const actions = withObstacles(planned, (path) => reconciler.obstacleOf(path));
  return { ok: !behind && mainManifest.isReady, actions };
}
