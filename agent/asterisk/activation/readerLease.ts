import { closeSync, constants, openSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { errnoOf } from '#host/fs/errno.ts';
import { giveBackLease, takeLease } from '#host/fs/libc.ts';
import type { Logger } from '#host/log/logger.ts';

/** What Asterisk reads the dialplan from, and has open until every file that it includes was read. */
const OUTERMOST = 'extensions.conf';
/** A reload by hand is over long before; what holds the file open for longer is no reload, milliseconds. */
const PATIENCE = 10_000;
const RETRY = 5;

/**
 * Keeps Asterisk out of the dialplan folder while a change set becomes visible. Asterisk opens the files of an
 * include one by one, so that not even a folder exchanged as a whole would be read as a whole by a reload that is
 * under way. But it has extensions.conf open all that time: a lease on that file (fcntl(2), F_SETLEASE) is granted
 * only when nobody is in the middle, and lets whoever comes wait until the set is there.
 */
export class ReaderLease {
  readonly #candidates: () => readonly string[];
  readonly #log: Logger;
  #toldWhy = '';

  /**
   * @param configFolders where Asterisk's extensions.conf may be, the likeliest first
   */
  constructor(configFolders: () => readonly string[], log: Logger) {
    this.#candidates = configFolders;
    this.#log = log;
  }

  /** Calls `show` while nobody reads. Where that can't be had, calls it all the same, and the log says why. */
  async withLease<T>(show: () => T): Promise<T> {
    const fd = this.#open();
    if (fd === undefined) return show();
    try {
      const until = performance.now() + PATIENCE;
      let leased = this.#lease(fd);
      while (leased === 'busy' && performance.now() < until) {
        await sleep(RETRY);
        leased = this.#lease(fd);
      }
      if (leased === 'busy')
        this.#tell(`another program has ${OUTERMOST} open for more than ${PATIENCE / 1000} s`);
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
        if (errnoOf(error) !== 'ENOENT') this.#tell(`${path.join(folder, OUTERMOST)}: ${errnoOf(error)}`);
      }
    }
    return undefined;
  }

  #lease(fd: number): 'yes' | 'busy' | 'no' {
    try {
      takeLease(fd);
      this.#toldWhy = '';
      return 'yes';
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === 'EAGAIN') return 'busy';
      this.#tell(`no lease on ${OUTERMOST} is to be had (${errno})`);
      return 'no';
    }
  }

  #tell(why: string): void {
    if (why === this.#toldWhy) return;
    this.#toldWhy = why;
    this.#log.warn('a reload by hand may see half of a change set', { reason: why });
  }
}
