import { type Clock, pause } from '#host/time/clock.ts';

/** What may pass at once before anybody waits, milliseconds of the rate: timers are not exact. */
const BURST = 50;

/** Waits until bytes may pass, or the signal is aborted. */
export type Pace = { pass(bytes: number, signal: AbortSignal): Promise<void> };

/** Lets bytes pass at a rate, which may differ from hour to hour (the virtual scheduling of the generic cell rate algorithm, ITU-T I.371). */
export class RateLimit implements Pace {
  readonly #rate: () => number;
  readonly #clock: Clock;
  /** When all that was let pass so far would have passed at exactly the rate, monotonic milliseconds. */
  #paidUntil = 0;

  /** @param rate bytes a second at this time; 0 for no limit */
  constructor(rate: () => number, clock: Clock) {
    this.#rate = rate;
    this.#clock = clock;
  }

  /** Resolves when these bytes may pass, or the signal is aborted. */
  async pass(bytes: number, signal: AbortSignal): Promise<void> {
    const rate = this.#rate();
    if (rate === 0) return;
    const now = this.#clock.monotonic();
    this.#paidUntil = Math.max(now, this.#paidUntil) + (bytes * 1000) / rate;
    const wait = this.#paidUntil - now - BURST;
    if (wait > 0) await pause(this.#clock, wait, signal);
  }
}

/** Passes what passes all of them. */
export function allOf(paces: readonly Pace[]): Pace {
  return {
    pass: async (bytes, signal) => {
      await Promise.all(paces.map((pace) => pace.pass(bytes, signal)));
    },
  };
}
