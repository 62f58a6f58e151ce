import type { DirectoryPolicy } from '#protocol/messages/common.ts';
import type { PlanInput } from '#core/plan/planInput.ts';
import type { Owners } from '#host/fs/owners.ts';
import type { Excludes } from '#core/path/excludes.ts';
import type { Replica } from '#sync/scan/replica.ts';
import type { AgreedState } from './agreedState.ts';
import type { MainManifest } from './manifest/mainManifest.ts';
import type { RemovalCounter } from './removalCounter.ts';

/** What the plan of one directory is made from. */
export type PlanFacts = {
  readonly policy: DirectoryPolicy;
  readonly excludes: Excludes;
  readonly mainManifest: MainManifest;
  readonly replica: Replica;
  readonly agreed: AgreedState;
  readonly removals: RemovalCounter;
  /** Those of this host. */
  readonly owners: Pick<Owners, 'revision'>;
};

/**
 * The input of the planner.
 * @param now monotonic milliseconds
 * @param clockOffset this host's clock minus Main's, nanoseconds; 0 when it is not known
 */
export function planInputOf(facts: PlanFacts, now: number, clockOffset = 0n): PlanInput {
  const { policy, excludes, mainManifest, replica, agreed, removals } = facts;
  return {
    policy,
    excludes,
    main: mainManifest,
    mds: replica,
    ledger: agreed.ledger.entries,
    tombstones: mainManifest.tombstones,
    clockOffset,
    mainClocks: mainManifest.clocks,
    budget: removals.budget(agreed.ledger.files, now),
  };
}
