import { type Clock, pause } from '#host/time/clock.ts';

/**
 * Burst that passes without a wait, in milliseconds of the rate: timers are not exact, and what a busy event loop or a write
 * to the disk delays by less than this is made up for.
 */
const BURST = 200;

/** A rate limit: resolves when the bytes may pass, or when the signal is aborted. */
export type Pace = { pass(bytes: number, signal: AbortSignal): Promise<void> };

/** Limits bytes to a rate that may change over time (virtual scheduling of the generic cell rate algorithm, ITU-T I.371). */
export class RateLimit implements Pace {
  readonly #rate: () => number;
  readonly #clock: Clock;
  /** Theoretical arrival time: when all bytes so far would have passed at exactly the rate, monotonic milliseconds. */
  #paidUntil = 0;

  /** @param rate current limit, bytes per second; 0 means unlimited */
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

/** Combines several limits: bytes pass when all of them allow it. */
export function allOf(paces: readonly Pace[]): Pace {
  return {
    pass: async (bytes, signal) => {
      await Promise.all(paces.map((pace) => pace.pass(bytes, signal)));
    },
  };
}
