import type { Entry } from '../manifest/entry.ts';
import type { Entries } from '../manifest/kept/entryMap.ts';
import type { Decision } from './decision.ts';
import type { RemovalBudget } from './guard.ts';
import type { Excludes } from '../path/excludes.ts';
import type { Policy } from './policy.ts';
import type { Tree } from './tree.ts';

/** The complete input of a plan for one directory: what both sides hold, and what they last agreed on. */
export type PlanInput = {
  readonly policy: Policy;
  readonly main: Tree;
  readonly mds: Tree;
  readonly ledger: Entries;
  readonly tombstones: ReadonlyMap<string, Entry>;
  /** The MDS's clock minus Main's, nanoseconds. */
  readonly clockOffset: bigint;
  /** Offsets of the clocks that gave Main's files their mtimes, by path, minus Main's clock, nanoseconds; Main's own are left out. */
  readonly mainClocks: ReadonlyMap<string, bigint>;
  /** The names that both sides ignore; none when absent. */
  readonly excludes?: Excludes | undefined;
  readonly budget: RemovalBudget;
  /** Plans only these paths and those they depend on (see scope.ts); every known path when absent. */
  readonly paths?: Iterable<string>;
  /**
   * Removals of files that an earlier plan decided, which are judged together with those of this one: a mass removal may come
   * in small portions. Nothing has changed about their paths since, except where {@link paths} names them.
   */
  readonly standing?: Iterable<readonly [path: string, decision: Decision]>;
};
