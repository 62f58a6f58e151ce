import type { Clock } from '../../shared/time/clock.ts';

/** So many at once, and one more each time this passes (a token bucket), for what costs Main a disk flush. */
const SIZE = 50;
const REFILL_MS = 1_000;

export class Bucket {
  readonly #clock: Clock;
  #left = SIZE;
  #filledAt: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#filledAt = clock.monotonic();
  }

  /** @returns false when there were too many lately */
  take(): boolean {
    const now = this.#clock.monotonic();
    const refill = Math.floor((now - this.#filledAt) / REFILL_MS);
    this.#filledAt += refill * REFILL_MS;
    this.#left = Math.min(SIZE, this.#left + refill);
    if (this.#left === 0) return false;
    this.#left -= 1;
    return true;
  }
}
