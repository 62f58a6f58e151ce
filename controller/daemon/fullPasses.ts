import type { Logger } from '#host/log/logger.ts';
import { type Clock, pause } from '#host/time/clock.ts';
import { jitter } from '#host/time/jitter.ts';
import type { MainDirectory } from '../directories/mainDirectory.ts';
import type { ControllerSession } from '../sessions/controllerSession.ts';

export type FullPassesOptions = {
  readonly directories: ReadonlyMap<string, MainDirectory>;
  readonly sessions: () => Iterable<ControllerSession>;
  /** Interval, milliseconds. */
  readonly every: () => number;
  /** Deletes what has expired. */
  readonly purge: () => Promise<void>;
  readonly clock: Clock;
  readonly log: Logger;
};

/** Full checks: scans all directories of Main and has the agents compare, on demand and periodically. */
export class FullPasses {
  /** Duration of the last scan of all directories, milliseconds; undefined before the first. */
  scanMs: number | undefined;
  readonly #options: FullPassesOptions;

  constructor(options: FullPassesOptions) {
    this.#options = options;
  }

  /** Scans every directory, and waits until files that are being written have settled. */
  async rescan(): Promise<void> {
    const { directories, sessions, clock } = this.#options;
    const began = clock.monotonic();
    await Promise.all(
      [...directories.values()].map(async (directory) => {
        await directory.readAgain();
        directory.publishHold();
      }),
    );
    this.scanMs = clock.monotonic() - began;
    for (const session of sessions())
      for (const directory of directories.values()) session.manifests.check(directory);
  }

  /** Runs until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { every, purge, clock, log } = this.#options;
    while (!signal.aborted) {
      await pause(clock, jitter(every()), signal);
      if (signal.aborted) return;
      try {
        await this.rescan();
        await purge();
      } catch (error) {
        log.error('a full pass failed', { error });
      }
    }
  }
}
