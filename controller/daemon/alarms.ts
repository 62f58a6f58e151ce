import type { Logger } from '../../shared/log/logger.ts';
import type { Clock } from '../../shared/time/clock.ts';

const KEEP = 100;

export type Alarm = { readonly at: string; readonly message: string };

/** What an administrator must look at: a second holder of a key, a reused token. Shown in status until restart. */
export class Alarms {
  readonly #clock: Clock;
  readonly #log: Logger;
  #list: Alarm[] = [];

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock;
    this.#log = log;
  }

  get list(): readonly Alarm[] {
    return this.#list;
  }

  raise(message: string): void {
    this.#log.error('ALARM', { message });
    this.#list = [...this.#list, { at: new Date(this.#clock.now()).toISOString(), message }].slice(-KEEP);
  }
}
