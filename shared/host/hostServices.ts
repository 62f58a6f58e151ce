import type { Owners } from './fs/owners.ts';
import type { Logger } from './log/logger.ts';
import type { Clock } from './time/clock.ts';

/** What almost every part of the program needs of the host that it runs on. */
export type HostServices = {
  readonly clock: Clock;
  readonly log: Logger;
  /** The names of users and groups. */
  readonly owners: Owners;
};
