import type { Logger } from '#host/log/logger.ts';
import type { Clock } from '#host/time/clock.ts';

const KEEP = 100;
/** Repetitions within this time are only counted, milliseconds: a clone reconnects every few seconds. */
const QUIET = 60_000;

export type Alarm = {
  /** When it was last raised. */
  readonly at: string;
  readonly message: string;
  /** How often it was raised. */
  readonly times: number;
};

type Kept = { message: string; at: number; loggedAt: number; times: number };

/** Events that need an administrator: a second holder of a key, a reused token. Shown in status until restart. */
export class Alarms {
  readonly #clock: Clock;
  readonly #log: Logger;
  #kept: Kept[] = [];

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock;
    this.#log = log;
  }

  get list(): readonly Alarm[] {
    return this.#kept.map(({ at, message, times }) => ({ at: new Date(at).toISOString(), message, times }));
  }

  raise(message: string): void {
    const now = this.#clock.now();
    const known = this.#kept.find((alarm) => alarm.message === message);
    const alarm = known ?? { message, at: now, loggedAt: -Infinity, times: 0 };
    alarm.at = now;
    alarm.times += 1;
    if (now - alarm.loggedAt >= QUIET) {
      this.#log.error('ALARM', { message, ...(alarm.times > 1 && { times: alarm.times }) });
      alarm.loggedAt = now;
    }
    if (known === undefined) this.#kept = [...this.#kept, alarm].slice(-KEEP);
  }
}
