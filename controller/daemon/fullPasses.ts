import type { Logger } from '#host/log/logger.ts';
import { type Clock, pause } from '#host/time/clock.ts';
import { jitter } from '#host/time/jitter.ts';
import type { MainDirectory } from '../directories/mainDirectory.ts';
import type { ControllerSession } from '../sessions/controllerSession.ts';

export type FullPassesOptions = {
  readonly directories: ReadonlyMap<string, MainDirectory>;
  readonly sessions: () => Iterable<ControllerSession>;
  /** How often, milliseconds. */
  readonly every: () => number;
  /** Ends what is kept for too long. */
  readonly purge: () => void;
  readonly clock: Clock;
  readonly log: Logger;
};

/** Reads everything on Main again and lets the agents prove that they have it: on demand, and every so often. */
export class FullPasses {
  /** How long the last reading of all directories took, milliseconds; undefined before the first. */
  scanMs: number | undefined;
  readonly #options: FullPassesOptions;

  constructor(options: FullPassesOptions) {
    this.#options = options;
  }

  /** Reads every directory again, and waits until what is being written is quiet. */
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
    for (const session of sessions()) for (const directory of directories.values()) session.check(directory);
  }

  /** Runs until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { every, purge, clock, log } = this.#options;
    while (!signal.aborted) {
      await pause(clock, jitter(every()), signal);
      if (signal.aborted) return;
      try {
        await this.rescan();
        purge();
      } catch (error) {
        log.error('a full pass failed', { error });
      }
    }
  }
}
