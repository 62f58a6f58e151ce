import type { Logger } from '#host/log/logger.ts';
import type { Clock } from '#host/time/clock.ts';

/** Interval at which an event of one address is logged, milliseconds. */
const QUIET = 60_000;
/** Most entries remembered; the oldest ones are dropped. */
const MOST_KNOWN = 1_000;

/** Logs events that any peer can cause, once a minute with a count, so that peers can't fill the log. */
export class PeerLog {
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #logged = new Map<string, { at: number; since: number }>();

  constructor(log: Logger, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  warn(event: string, address: string, details: Readonly<Record<string, unknown>> = {}): void {
    const key = `${address} ${event}`;
    const now = this.#clock.monotonic();
    const known = this.#logged.get(key);
    if (known !== undefined && now - known.at < QUIET) {
      known.since += 1;
      return;
    }
    this.#logged.delete(key);
    this.#logged.set(key, { at: now, since: 0 });
    if (this.#logged.size > MOST_KNOWN) this.#forgetOldest();
    const more = known === undefined || known.since === 0 ? {} : { again: known.since };
    this.#log.warn(event, { address, ...details, ...more });
  }

  #forgetOldest(): void {
    for (const key of this.#logged.keys()) {
      this.#logged.delete(key);
      return;
    }
  }
}
