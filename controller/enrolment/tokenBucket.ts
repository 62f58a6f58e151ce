import type { Clock } from '#host/time/clock.ts';

export type BucketSize = {
  /** So many at once, at least 1. */
  readonly most: number;
  /** One more each time this passes, milliseconds, more than 0. */
  readonly refillMs: number;
};

/** So many at once, and one more each time a while passes (a token bucket), for what costs Main work or a disk flush. */
export class TokenBucket {
  readonly #clock: Clock;
  readonly #size: BucketSize;
  #left: number;
  #filledAt: number;

  constructor(clock: Clock, size: BucketSize) {
    this.#clock = clock;
    this.#size = size;
    this.#left = size.most;
    this.#filledAt = clock.monotonic();
  }

  /** @returns false when there were too many lately */
  take(): boolean {
    this.#fill();
    if (this.#left === 0) return false;
    this.#left -= 1;
    return true;
  }

  /** As good as a new one. */
  get isFull(): boolean {
    this.#fill();
    return this.#left === this.#size.most;
  }

  /** How long until there is one more, milliseconds. */
  get untilNext(): number {
    return Math.max(0, this.#filledAt + this.#size.refillMs - this.#clock.monotonic());
  }

  #fill(): void {
    const { most, refillMs } = this.#size;
    const refill = Math.floor((this.#clock.monotonic() - this.#filledAt) / refillMs);
    this.#filledAt += refill * refillMs;
    this.#left = Math.min(most, this.#left + refill);
  }
}
