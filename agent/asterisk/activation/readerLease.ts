import { closeSync, constants, openSync } from 'node:fs';
import path from 'node:path';
import { errnoOf } from '#host/fs/errno.ts';
import { giveBackLease, takeLease } from '#host/fs/libc.ts';
import type { Logger } from '#host/log/logger.ts';
import { type Clock, pause } from '#host/time/clock.ts';

/** Asterisk's outermost dialplan file. Asterisk has it open until every included file was read. */
const OUTERMOST = 'extensions.conf';
/** Longest wait for the lease, milliseconds. A reload takes much less; a program that has the file open longer is not one. */
const PATIENCE = 10_000;
const RETRY = 5;

/**
 * Keeps Asterisk from reading the dialplan folder while a change set becomes visible. Asterisk opens the files of an
 * include one by one, so even exchanging the whole folder would not give a running reload a consistent view. But it has
 * extensions.conf open all that time: a lease on that file (fcntl(2), F_SETLEASE) is granted only when no reload is
 * running, and blocks a reload that starts until the set is visible.
 */
export class ReaderLease {
  readonly #candidates: () => readonly string[];
  readonly #clock: Clock;
  readonly #log: Logger;
  #lastLogged = '';

  /**
   * @param configFolders folders that may hold Asterisk's extensions.conf, most likely first
   */
  constructor(configFolders: () => readonly string[], clock: Clock, log: Logger) {
    this.#candidates = configFolders;
    this.#clock = clock;
    this.#log = log;
  }

  /**
   * Calls `show` while no program reads the dialplan.
   * RACE: the lease can't be had (no lease on this file system, or another program has the file open for 10 s). Worst case:
   * a reload by hand in that moment reads half of a change set, until the agent's own reload right after it.
   * @param signal ends the wait for the lease, as if it could not be had: the agent is stopping
   */
  async withLease<T>(show: () => T, signal: AbortSignal): Promise<T> {
    const fd = this.#open();
    if (fd === undefined) return show();
    try {
      const until = this.#clock.monotonic() + PATIENCE;
      let leased = this.#lease(fd);
      while (leased === 'busy' && this.#clock.monotonic() < until && !signal.aborted) {
        await pause(this.#clock, RETRY, signal);
        leased = this.#lease(fd);
      }
      if (leased === 'busy')
        this.#warn(
          signal.aborted
            ? `another program has ${OUTERMOST} open, and the agent is stopping`
            : `another program has ${OUTERMOST} open for more than ${PATIENCE / 1000} s`,
        );
      const shown = show();
      if (leased === 'yes') giveBackLease(fd);
      return shown;
    } finally {
      closeSync(fd);
    }
  }

  #open(): number | undefined {
    for (const folder of this.#candidates()) {
      try {
        return openSync(path.join(folder, OUTERMOST), constants.O_RDONLY | constants.O_NONBLOCK);
      } catch (error) {
        if (errnoOf(error) !== 'ENOENT') this.#warn(`${path.join(folder, OUTERMOST)}: ${errnoOf(error)}`);
      }
    }
    return undefined;
  }

  #lease(fd: number): 'yes' | 'busy' | 'no' {
    try {
      takeLease(fd);
      this.#lastLogged = '';
      return 'yes';
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === 'EAGAIN') return 'busy';
      this.#warn(`no lease on ${OUTERMOST} could be taken (${errno})`);
      return 'no';
    }
  }

  #warn(why: string): void {
    if (why === this.#lastLogged) return;
    this.#lastLogged = why;
    this.#log.warn('a reload by hand may see half of a change set', { reason: why });
  }
}
