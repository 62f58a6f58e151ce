import { isClockOffset } from '#core/manifest/meaning.ts';

/** How long a measurement counts, milliseconds; of these, the one with the shortest round trip is used. */
const KEPT = 45_000;
/** Age from which a measurement is repeated at the next heartbeat, milliseconds: at every third one. */
const DUE = 12_000;

/** Longest round trip that is used, milliseconds: beyond it the offset would be uncertain by seconds. */
const MAX_ROUND_TRIP = 60_000;

/**
 * Estimates the offset between this host's clock and the other side's from the times in its answers (RFC 5905,
 * section 8: an answer's time is assumed to be the middle of the round trip).
 */
export class ClockOffset {
  #measurements: { offset: number; roundTrip: number; received: number }[] = [];

  /**
   * Adds a measurement, unless it is implausible: `sent` and `theirs` come from the other side.
   * @param sent ours, @param theirs the other side's, @param received ours, all milliseconds since 1970
   */
  measured(sent: number, theirs: number, received: number): void {
    const roundTrip = received - sent;
    // Below 0: this host's clock was set back in between.
    if (!(roundTrip >= 0 && roundTrip <= MAX_ROUND_TRIP)) return;
    const offset = (sent + received) / 2 - theirs;
    if (!isClockOffset(offset)) return;
    // What was measured before this host's clock was set does not count any more.
    const kept = this.#measurements.filter((each) => isWithin(KEPT, each.received, received));
    this.#measurements = [...kept, { offset, roundTrip, received }];
  }

  /** Whether it is time to measure again. @param now milliseconds since 1970 */
  isDue(now: number): boolean {
    return !this.#measurements.some(({ received }) => isWithin(DUE, received, now));
  }

  get known(): boolean {
    return this.#measurements.length > 0;
  }

  /** This host's clock minus the other side's, milliseconds; 0 before the first measurement. */
  get milliseconds(): number {
    let best: { offset: number; roundTrip: number } | undefined;
    for (const each of this.#measurements) {
      if (best === undefined || each.roundTrip <= best.roundTrip) best = each;
    }
    return best?.offset ?? 0;
  }

  get nanoseconds(): bigint {
    return BigInt(Math.round(this.milliseconds * 1e6));
  }
}

function isWithin(milliseconds: number, then: number, now: number): boolean {
  return now >= then && now - then < milliseconds;
}
