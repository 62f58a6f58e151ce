import { type MainBandwidth, rateAt } from '#host/config/bandwidth.ts';
import type { Clock } from '#host/time/clock.ts';
import { allOf, type Pace, RateLimit } from '#wire/rateLimit.ts';

/** Main's bandwidth limits: all MDS share one limit for each direction, and an MDS may have its own in addition. */
export class BandwidthLimits {
  readonly #config: () => MainBandwidth;
  readonly #clock: Clock;
  readonly #incoming: RateLimit;
  readonly #outgoing: RateLimit;

  /** @param config returns the current configuration, which may be reloaded */
  constructor(config: () => MainBandwidth, clock: Clock) {
    this.#config = config;
    this.#clock = clock;
    const rate = (): number => rateAt(config().all, clock.now());
    this.#incoming = new RateLimit(rate, clock);
    this.#outgoing = new RateLimit(rate, clock);
  }

  /** The limits for one connection of an MDS. */
  paceOf(mds: string): { incoming: Pace; outgoing: Pace } {
    const own = (): number => {
      const limit = this.#config().mds[mds];
      return limit === undefined ? 0 : rateAt(limit, this.#clock.now());
    };
    return {
      incoming: allOf([this.#incoming, new RateLimit(own, this.#clock)]),
      outgoing: allOf([this.#outgoing, new RateLimit(own, this.#clock)]),
    };
  }
}
