import { type Condition, CONDITION_KINDS, type ConditionKind, type StandingCondition } from './condition.ts';

/**
 * How long a condition must last before it is reported, milliseconds: a restarting agent is disconnected for seconds,
 * and every change makes every MDS behind for a moment. Kinds that are not listed are reported at once.
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
 * Tracks the current conditions and their start; reports each beginning and each end once. Every computed status is
 * passed to it.
 */
export class ConditionTracker {
  readonly #events: ConditionEvents;
  readonly #kept = new Map<string, Kept>();

  constructor(events: ConditionEvents) {
    this.#events = events;
  }

  /**
   * Updates the current conditions.
   * @param now milliseconds since 1970
   * @param startedAt known earlier starts, by key
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

  /** Current conditions, worst first, then oldest first. */
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
