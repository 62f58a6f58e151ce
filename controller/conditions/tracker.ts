import { type Condition, CONDITION_KINDS, type ConditionKind, type StandingCondition } from './condition.ts';

/**
 * How long a condition must last before anybody is notified of it, milliseconds: an agent that restarts is away for
 * seconds, and every change makes every MDS behind for a moment. What is not named here is reported at once.
 */
const GRACE: Partial<Readonly<Record<ConditionKind, number>>> = {
  away: 15_000,
  behind: 60_000,
  'pending-reload': 5_000,
  clock: 60_000,
};

export type ConditionEvents = {
  readonly began: (condition: StandingCondition) => void;
  /** @param lastedMs from its first state to its end */
  readonly ended: (condition: StandingCondition, lastedMs: number) => void;
};

type Kept = { condition: Condition; since: number; announced: boolean };

/**
 * Remembers which conditions stand, and since when; reports each beginning and each end once. It is fed with every
 * status that is looked at, and does not look by itself.
 */
export class ConditionTracker {
  readonly #events: ConditionEvents;
  readonly #kept = new Map<string, Kept>();

  constructor(events: ConditionEvents) {
    this.#events = events;
  }

  /**
   * Takes over what is wrong now.
   * @param now milliseconds since 1970
   * @param startedAt what is known to have been so before this program looked, by key
   */
  update(
    conditions: readonly Condition[],
    now: number,
    startedAt: ReadonlyMap<string, number> = new Map(),
  ): void {
    const standing = new Set<string>();
    for (const condition of conditions) {
      standing.add(condition.key);
      const kept = this.#kept.get(condition.key) ?? {
        condition,
        since: Math.min(now, startedAt.get(condition.key) ?? now),
        announced: false,
      };
      kept.condition = condition;
      this.#kept.set(condition.key, kept);
      if (kept.announced || now - kept.since < (GRACE[condition.kind] ?? 0)) continue;
      kept.announced = true;
      this.#events.began({ ...condition, since: kept.since });
    }
    for (const [key, { condition, since, announced }] of this.#kept) {
      if (standing.has(key)) continue;
      this.#kept.delete(key);
      if (announced) this.#events.ended({ ...condition, since }, Math.max(0, now - since));
    }
  }

  /** What stands, worst first, then the oldest. */
  get standing(): StandingCondition[] {
    return [...this.#kept.values()]
      .map(({ condition, since }) => ({ ...condition, since }))
      .toSorted(
        (a, b) =>
          CONDITION_KINDS.indexOf(a.kind) - CONDITION_KINDS.indexOf(b.kind) ||
          a.since - b.since ||
          a.key.localeCompare(b.key),
      );
  }
}
