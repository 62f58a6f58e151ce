import type { Logger } from '#host/log/logger.ts';
import type { Clock } from '#host/time/clock.ts';

/** Interval at which repeated violations of one MDS are logged, milliseconds. */
const QUIET = 60_000;

type Offender = { loggedAt: number; since: number };

/** Logs connections of MDS. An MDS that breaks the protocol is logged once a minute, however often it reconnects. */
export class SessionLog {
  readonly #clock: Clock;
  readonly #offenders = new Map<string, Offender>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  connected(name: string, log: Logger, details: Readonly<Record<string, unknown>>): void {
    log[this.#isQuiet(name) ? 'debug' : 'info']('agent connected', details);
  }

  /** @param reason the channel's reason */
  ended(name: string, log: Logger, reason: string, details: Readonly<Record<string, unknown>>): void {
    const isOffence = /^(protocol violation|"\S+" could not be handled)/.test(reason);
    const offender = this.#offenders.get(name);
    if (isOffence && offender !== undefined && this.#isQuiet(name)) {
      offender.since += 1;
      return log.debug('agent disconnected', { ...details, reason });
    }
    if (isOffence) this.#offenders.set(name, { loggedAt: this.#clock.monotonic(), since: 0 });
    else if (!this.#isQuiet(name)) this.#offenders.delete(name);
    const again = offender !== undefined && offender.since > 0 ? { again: offender.since } : {};
    log[isOffence ? 'warn' : 'info']('agent disconnected', { ...details, reason, ...again });
  }

  #isQuiet(name: string): boolean {
    const offender = this.#offenders.get(name);
    return offender !== undefined && this.#clock.monotonic() - offender.loggedAt < QUIET;
  }
}
