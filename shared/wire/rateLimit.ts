import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '#host/time/clock.ts';

/** What may pass at once before anybody waits, milliseconds of the rate: timers are not exact. */
const BURST = 50;

/** Lets bytes pass at a rate (the virtual scheduling of the generic cell rate algorithm, ITU-T I.371). */
export class RateLimit {
  readonly #bytesPerMillisecond: number;
  readonly #clock: Clock;
  /** When all that was let pass so far would have passed at exactly the rate, monotonic milliseconds. */
  #paidUntil = 0;

  /** @param bytesPerSecond more than 0 */
  constructor(bytesPerSecond: number, clock: Clock) {
    this.#bytesPerMillisecond = bytesPerSecond / 1000;
    this.#clock = clock;
  }

  /** Resolves when these bytes may pass. */
  async pass(bytes: number): Promise<void> {
    const now = this.#clock.monotonic();
    this.#paidUntil = Math.max(now, this.#paidUntil) + bytes / this.#bytesPerMillisecond;
    const wait = this.#paidUntil - now - BURST;
    if (wait > 0) await sleep(wait);
  }
}
