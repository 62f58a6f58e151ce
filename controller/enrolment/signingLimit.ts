import type { Pin } from '#host/identity/pin.ts';
import type { Clock } from '#host/time/clock.ts';
import { TokenBucket, type BucketSize } from './tokenBucket.ts';

/** More than an MDS needs at once, also when answers are lost on the way or Main's key is changed. */
const MOST = 10;
const REFILL_MS = 60_000;
/** An honest agent renews after half the life at the earliest: it gets twice that, however short the life. */
const REFILL_SHARE = 0.25;

/** Bounds how many certificates Main signs for each MDS: every one costs it a signature and a write to disk. */
export class SigningLimit {
  readonly #clock: Clock;
  readonly #size: BucketSize;
  readonly #buckets = new Map<Pin, TokenBucket>();

  /** @param lifeMs how long a certificate holds, milliseconds */
  constructor(clock: Clock, lifeMs: number) {
    this.#clock = clock;
    this.#size = { most: MOST, refillMs: Math.min(REFILL_MS, lifeMs * REFILL_SHARE) };
  }

  /** @returns why this MDS gets no certificate now, and what to look at */
  refuse(name: string, pin: Pin): string | undefined {
    const bucket = this.#bucketOf(pin);
    if (bucket.take()) return undefined;
    return (
      `Main has signed too many certificates recently for ${name}: it signs the next one in ` +
      `${Math.ceil(bucket.untilNext / 1000)} s. An agent needs one in the second half of the last one's life: ` +
      `is the clock of ${name} right, and is its key on one machine only?`
    );
  }

  #bucketOf(pin: Pin): TokenBucket {
    const known = this.#buckets.get(pin);
    if (known !== undefined) return known;
    for (const [other, { isFull }] of this.#buckets) if (isFull) this.#buckets.delete(other);
    const bucket = new TokenBucket(this.#clock, this.#size);
    this.#buckets.set(pin, bucket);
    return bucket;
  }
}
