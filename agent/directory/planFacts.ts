import type { DirectoryPolicy } from '#protocol/messages/common.ts';
import type { PlanInput } from '#core/plan/planInput.ts';
import type { Excludes } from '#core/path/excludes.ts';
import type { Replica } from '#sync/scan/replica.ts';
import type { AgreedState } from './agreedState.ts';
import type { MainManifest } from './manifest/mainManifest.ts';
import type { RemovalCounter } from './removalCounter.ts';

/** What the plan of one directory is made from. */
export type PlanFacts = {
  readonly policy: DirectoryPolicy;
  readonly excludes: Excludes;
  readonly mainView: MainManifest;
  readonly replica: Replica;
  readonly agreed: AgreedState;
  readonly removals: RemovalCounter;
};

/**
 * The input of the planner.
 * @param now monotonic milliseconds
 * @param clockOffset this host's clock minus Main's, nanoseconds; 0 when it is not known
 */
export function planInputOf(facts: PlanFacts, now: number, clockOffset = 0n): PlanInput {
  const { policy, excludes, mainView, replica, agreed, removals } = facts;
  return {
    policy,
    excludes,
    main: mainView,
    mds: replica,
    ledger: agreed.ledger.entries,
    tombstones: mainView.tombstones,
    clockOffset,
    mainClocks: mainView.clocks,
    budget: removals.budget(agreed.ledger.files, now),
  };
}
