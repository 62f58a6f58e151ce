import type { DirectoryPolicy, PlannedAction } from '#protocol/messages/common.ts';
import { entryOf } from '#core/manifest/pathState.ts';
import { decidePath, excludingPattern, isChange, type Plan } from '#core/plan/plan.ts';
import type { SyncDirectory } from '#sync/directory/syncDirectory.ts';
import type { OnRead, Verified } from '#sync/scan/verify.ts';
import type { Ledger } from '#sync/state/ledger.ts';
import type { AgentSession } from '../../connection/agentSession.ts';
import {
  actionsOfPlan,
  describe,
  type DryRun,
  type Explanation,
  isHindered,
  obstaclesOfSet,
  withObstacles,
} from './explain.ts';
import type { JobRunner, Rehearsal } from '../jobs/jobRunner.ts';
import type { MainManifest } from '../manifest/mainManifest.ts';
import type { Obstacle, Reconciler } from '../reconciler.ts';

export type PlanAnswersOptions = {
  readonly policy: DirectoryPolicy;
  readonly sync: SyncDirectory;
  readonly mainManifest: MainManifest;
  readonly ledger: Ledger;
  readonly runner: JobRunner;
  readonly reconciler: Reconciler;
  /** The connection to Main, while there is one. */
  readonly session: () => AgentSession | undefined;
};

/** What a person asks about the plan of one directory: a dry run, `why`, `verify`. Nothing is changed. */
export class PlanAnswers {
  readonly #options: PlanAnswersOptions;

  constructor(options: PlanAnswersOptions) {
    this.#options = options;
  }

  /** The plan as it is now, a line a file. */
  plannedActions(): PlannedAction[] {
    const { mainManifest, sync, reconciler } = this.#options;
    return mainManifest.isReady ? actionsOfPlan(sync.name, reconciler.plan()) : [];
  }

  /** What a pass would do, and what would be in its way: tried already, or found out by a rehearsal. */
  async dryRun(): Promise<DryRun> {
    const { mainManifest, sync, reconciler } = this.#options;
    await sync.readAgain();
    if (!mainManifest.isReady) return { ok: false, actions: [], held: undefined, dialplan: [] };
    const made = reconciler.plan();
    const planned = actionsOfPlan(sync.name, made);
    const tried = (path: string): Obstacle | undefined => reconciler.obstacleOf(path);
    const rehearsal = await this.#rehearse(made);
    const found =
      rehearsal === undefined || reconciler.isRefused
        ? undefined
        : obstaclesOfSet(made.decisions.keys(), tried, rehearsal.reasons);
    const actions = withObstacles(planned, (path) => (found === undefined ? tried(path) : found.get(path)));
    const dialplan = rehearsal?.changes ?? [];
    return { ok: !isHindered(made, actions, planned), actions, held: made.held, dialplan };
  }

  /** Which rule decides about a path here, and what really becomes of it. */
  why(path: string): Explanation {
    const { mainManifest, sync, ledger, reconciler } = this.#options;
    const input = reconciler.planInput();
    const made = reconciler.plan();
    const main = mainManifest.get(path);
    const mds = sync.replica.get(path);
    const base = ledger.entries.get(path);
    const decision = made.decisions.get(path) ?? decidePath(input, path);
    const waits = isChange(decision) && decision.kind !== 'nothing' && decision.kind !== 'local';
    const isHeld = made.heldPaths.includes(path) || (made.decisions.size === 0 && waits);
    const held = isHeld ? made.held : undefined;
    const obstacle = held === undefined ? reconciler.obstacleOf(path) : { action: 'hold', reason: held };
    const excludedBy = excludingPattern(input, path);
    return {
      decision,
      main: describe(entryOf(main), main?.kind),
      mds: describe(entryOf(mds), mds?.kind),
      ledger: describe(base, undefined),
      isNowhere: main === undefined && mds === undefined && base === undefined,
      ...(excludedBy !== undefined && { excludedBy }),
      ...(obstacle && { obstacle: obstacle.reason }),
    };
  }

  /**
   * Reads every byte again and compares with what it was taken for, and with Main's.
   * @returns every difference: the path and what is wrong
   */
  async verify(onRead: OnRead, signal: AbortSignal): Promise<Verified> {
    const { sync } = this.#options;
    await sync.readAgain();
    const verified = await sync.verify(onRead, signal);
    const wrong = new Map(verified.wrong);
    for (const { action, path, reason } of this.plannedActions()) {
      if (action !== 'skip' && !wrong.has(path)) wrong.set(path, `${action}: ${reason}`);
    }
    return { ...verified, wrong };
  }

  /** Where Asterisk reads a set as a whole, what it would make of it. */
  async #rehearse({ decisions, heldPaths }: Plan): Promise<Rehearsal | undefined> {
    const { policy, runner } = this.#options;
    const session = this.#options.session();
    if (session === undefined || policy.reload !== 'dialplan') return undefined;
    return runner.rehearse(decisions, new Set(heldPaths), session);
  }
}
