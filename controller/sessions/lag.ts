import type { AgentReport } from '#protocol/messages/session.ts';
import type { Clock } from '#host/time/clock.ts';
import type { Revision } from '../directories/publication.ts';

/** A change of Main's that was delivered to an MDS. */
export type Delivery = { readonly directory: string; readonly changedAt: number; readonly ms: number };

/** Measures the time from a change on Main's disk to its delivery on one MDS. */
export class Lag {
  /** Time of the last delivery, milliseconds; null before the first. */
  milliseconds: number | null = null;
  readonly #clock: Clock;
  /** Revisions made while the agent followed the directory, until the agent has reached them. */
  readonly #awaited = new Map<string, { revision: number; changedAt: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Time of the oldest change that the MDS does not have yet, milliseconds since 1970. */
  get since(): number | undefined {
    const times = [...this.#awaited.values()].map(({ changedAt }) => changedAt);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** @param changedAt milliseconds since 1970 */
  expect({ directory, revision }: Revision, changedAt: number): void {
    if (!this.#awaited.has(directory)) this.#awaited.set(directory, { revision, changedAt });
  }

  /** @returns the changes delivered by now, with their time on Main, milliseconds since 1970 */
  reported({ directories }: AgentReport, isKnown: (directory: string) => boolean): Delivery[] {
    const delivered: Delivery[] = [];
    for (const { name, revision, pending } of directories) {
      const awaited = this.#awaited.get(name);
      if (awaited === undefined || revision < awaited.revision || pending > 0 || !isKnown(name)) continue;
      this.#awaited.delete(name);
      this.milliseconds = Math.max(0, Math.round(this.#clock.now() - awaited.changedAt));
      delivered.push({ directory: name, changedAt: awaited.changedAt, ms: this.milliseconds });
    }
    return delivered;
  }
}
