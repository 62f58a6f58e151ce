import type { AgentReport } from '#protocol/messages/session.ts';
import type { Clock } from '#host/time/clock.ts';
import type { Revision } from '../directories/mainDirectory.ts';

/** An MDS holds what was changed on Main. */
export type Delivery = { readonly directory: string; readonly changedAt: number; readonly ms: number };

/** How long changes take from Main's disk to one MDS. */
export class Lag {
  /** Of the last change; null before the first. */
  milliseconds: number | null = null;
  readonly #clock: Clock;
  /** Revisions that came into being while the agent followed, until the agent has caught up with them. */
  readonly #awaited = new Map<string, { revision: number; changedAt: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** When the oldest change was made that the MDS has not caught up with, milliseconds since 1970. */
  get since(): number | undefined {
    const times = [...this.#awaited.values()].map(({ changedAt }) => changedAt);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** @param changedAt milliseconds since 1970 */
  expect({ directory, revision }: Revision, changedAt: number): void {
    if (!this.#awaited.has(directory)) this.#awaited.set(directory, { revision, changedAt });
  }

  /** @returns the changes that the MDS holds now, with the time when each was made on Main, milliseconds since 1970 */
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
