import { isClockOffset } from '#core/manifest/meaning.ts';

/** Measurements kept; the one with the shortest round trip is used. */
const KEEP = 8;

/** Longest round trip that is used, milliseconds: beyond it the offset would be uncertain by seconds. */
const MAX_ROUND_TRIP = 60_000;

/**
 * Estimates the offset between this host's clock and the other side's from the times in its answers (RFC 5905,
 * section 8: an answer's time is assumed to be the middle of the round trip).
 */
export class ClockOffset {
  #measurements: { offset: number; roundTrip: number }[] = [];

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
