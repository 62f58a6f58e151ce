import type { Entry } from '../manifest/entry.ts';
import type { RemovalBudget } from './guard.ts';
import type { Excludes } from '../path/excludes.ts';
import type { Policy } from './policy.ts';
import type { Tree } from './tree.ts';

/** Everything that a plan for one directory depends on: what both sides hold, and what they last agreed on. */
export type PlanInput = {
  readonly policy: Policy;
  readonly main: Tree;
  readonly mds: Tree;
  readonly ledger: ReadonlyMap<string, Entry>;
  readonly tombstones: ReadonlyMap<string, Entry>;
  /** The MDS's clock minus Main's, nanoseconds. */
  readonly clockOffset: bigint;
  /** The clocks that gave Main's files their times, minus Main's, nanoseconds, where they were others than Main's. */
  readonly mainClocks: ReadonlyMap<string, bigint>;
  /** The names that both sides leave alone; none when absent. */
  readonly excludes?: Excludes | undefined;
  readonly budget: RemovalBudget;
  /** Only these paths and what their folders hang on (see scope.ts); every known path when absent. */
  readonly paths?: Iterable<string>;
};
