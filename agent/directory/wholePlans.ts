import type { ChangedPaths } from '#core/plan/changedPaths.ts';
import { plan, type Plan } from '#core/plan/plan.ts';
import type { PlanInput } from '#core/plan/planInput.ts';

/** What is planned, with its own records of what has changed, which no event can miss. */
export type Unplanned = {
  readonly mainManifest: { readonly unplanned: ChangedPaths };
  readonly replica: { readonly index: { readonly unplanned: ChangedPaths } };
  readonly agreed: { readonly ledger: { readonly unplanned: ChangedPaths } };
  /** By whose names Main's entries are compared. */
  readonly owners: { readonly revision: number };
};

/**
 * Plans over everything. A path about which the last one decided nothing needs nothing as long as nothing changes about it,
 * so the next one covers the others, and what has changed since.
 */
export class WholePlans {
  readonly #facts: Unplanned;
  /** The paths about which the last plan decided something; undefined when the next one has to cover everything. */
  #decided: readonly string[] | undefined;
  /** At the last plan. */
  #ownersRevision = -1;

  constructor(facts: Unplanned) {
    this.#facts = facts;
  }

  plan(input: PlanInput): Plan {
    const paths = this.#unplanned(input);
    // If this one fails, what was taken must not be missing in the next one.
    this.#decided = undefined;
    const made = plan({ ...input, ...(paths && { paths }) });
    this.#decided = made.decided;
    return made;
  }

  /** @returns undefined for everything */
  #unplanned({ main, mds }: PlanInput): ReadonlySet<string> | undefined {
    const { mainManifest, replica, agreed, owners } = this.#facts;
    const changed = [mainManifest, replica.index, agreed.ledger].map(({ unplanned }) => unplanned.take());
    const before = this.#ownersRevision;
    this.#ownersRevision = owners.revision;
    if (this.#decided === undefined || this.#ownersRevision !== before) return undefined;
    const paths = new Set(this.#decided);
    for (const some of changed) {
      if (some === undefined) return undefined;
      for (const path of some) paths.add(path);
    }
    // A folder that can't be read changes what is known of every path in it.
    const isUnreadable = (path: string): boolean =>
      main.get(path)?.kind === 'unreadable' || mds.get(path)?.kind === 'unreadable';
    return paths.values().some(isUnreadable) ? undefined : paths;
  }
}
