import type { PlannedAction } from '#protocol/messages/common.ts';
import { isChange } from '#core/plan/plan.ts';
import type { SyncDirectory } from '#sync/directory/syncDirectory.ts';
import { type DirectoryPass, withObstacles } from './answers/explain.ts';
import type { MainManifest } from './manifest/mainManifest.ts';
import type { PlanAnswers } from './answers/planAnswers.ts';
import type { Reconciler } from './reconciler.ts';

export type DirectoryPassesOptions = {
  readonly sync: Pick<SyncDirectory, 'readAgain'>;
  readonly reconciler: Reconciler;
  readonly mainManifest: Pick<MainManifest, 'isReady'>;
  readonly plans: Pick<PlanAnswers, 'plannedActions'>;
  readonly isConnected: () => boolean;
};

/** The full passes over one directory. */
export class DirectoryPasses {
  readonly #options: DirectoryPassesOptions;
  /** What was to be done after the scan for the next pass; undefined when there was none. */
  #ahead: readonly PlannedAction[] | undefined;

  constructor(options: DirectoryPassesOptions) {
    this.#options = options;
  }

  /** Scans for the next pass, while Main scans its own disk. */
  async scanAhead(): Promise<void> {
    const { sync, plans } = this.#options;
    await sync.readAgain();
    // Work on what the scan found begins at once. It belongs to the pass, which may begin when the work is done.
    this.#ahead = this.#isAtRest ? [] : plans.plannedActions();
  }

  /**
   * Scans the directory, plans everything, and works until nothing is left to do.
   * @param isScanned the scan of {@link scanAhead} counts, if there was one since the last pass
   * @returns the actions, and whether all were done; the others have a reason
   */
  async run(isScanned: boolean): Promise<DirectoryPass> {
    const { sync, reconciler, mainManifest, plans, isConnected } = this.#options;
    const ahead = isScanned ? this.#ahead : undefined;
    this.#ahead = undefined;
    reconciler.resetBackoff();
    if (ahead === undefined) await sync.readAgain();
    const isAtRest = this.#isAtRest;
    const planned = together(ahead ?? [], plans.plannedActions());
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

  get #isAtRest(): boolean {
    const { reconciler, mainManifest } = this.#options;
    return reconciler.isAtRest && mainManifest.isReady;
  }
}

/** Both lists, where the later one knows better what becomes of a path. */
function together(earlier: readonly PlannedAction[], later: readonly PlannedAction[]): PlannedAction[] {
  if (earlier.length === 0) return [...later];
  return [...new Map([...earlier, ...later].map((action) => [action.path, action])).values()];
}
