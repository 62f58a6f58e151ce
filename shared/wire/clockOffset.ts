import { isClockOffset } from '#core/manifest/meaning.ts';

/** Measurements kept: the one with the shortest way there and back is the best. */
const KEEP = 8;

/** An answer that took longer, milliseconds, tells too little: what the other side's clock was then is not known to seconds. */
const MAX_ROUND_TRIP = 60_000;

/**
 * How far this host's clock is from the other side's, from the time that it puts into its answers (the estimate of
 * RFC 5905, section 8: that time is taken for the middle of the way there and back).
 */
export class ClockOffset {
  #measurements: { offset: number; roundTrip: number }[] = [];

  /**
   * Takes a measurement, unless it can't be one: both `sent` and `theirs` are the other side's word.
   * @param sent ours, @param theirs the other side's, @param received ours, all milliseconds since 1970
   */
  measured(sent: number, theirs: number, received: number): void {
    const roundTrip = received - sent;
    // Below 0: this host's clock was set back in between.
    if (!(roundTrip >= 0 && roundTrip <= MAX_ROUND_TRIP)) return;
    const offset = (sent + received) / 2 - theirs;
    if (!isClockOffset(offset)) return;
    this.#measurements = [...this.#measurements, { offset, roundTrip }].slice(-KEEP);
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
