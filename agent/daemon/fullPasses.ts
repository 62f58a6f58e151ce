import type { PlannedAction } from '#protocol/messages/common.ts';
import type { Logger } from '#host/log/logger.ts';
import type { Tasks } from '#host/process/tasks.ts';
import { type Clock, pause } from '#host/time/clock.ts';
import { jitter } from '#host/time/jitter.ts';
import type { PendingReloads } from '../asterisk/reload/pendingReloads.ts';
import type { AgentDirectory } from '../directory/agentDirectory.ts';
import type { Answer } from './commands.ts';
import type { OpenDirectories } from './openDirectories.ts';
import type { Reporter } from './reporter.ts';

export type FullPassesOptions = {
  readonly directories: OpenDirectories;
  readonly reloads: PendingReloads;
  readonly reporter: Reporter;
  readonly tasks: Tasks;
  /** Retention of the trash, milliseconds. */
  readonly keepMs: () => number;
  readonly clock: Clock;
  readonly log: Logger;
};

/** Passes over every directory, as a command, when a connection begins, and from time to time. */
export class FullPasses {
  readonly #options: FullPassesOptions;
  /** Duration of the last scan for a pass, milliseconds. */
  #scanMs = 0;

  constructor(options: FullPassesOptions) {
    this.#options = options;
  }

  /**
   * One pass: scans every directory, resolves the differences from Main, and makes sure that Asterisk has loaded the
   * result.
   * @param isScanned the scan of {@link scanAhead} counts
   */
  async run(isScanned = false): Promise<Answer> {
    const { directories, reporter, clock, log } = this.#options;
    const startedAt = clock.monotonic() - (isScanned ? this.#scanMs : 0);
    const pass = await this.#pass([...directories.all.values()], isScanned);
    const ok = pass.ok && directories.unplaced.length === 0;
    const durationMs = Math.round(clock.monotonic() - startedAt);
    log.info('reconciled', { ok, milliseconds: durationMs });
    reporter.reconciled({ at: new Date(clock.now()).toISOString(), ok, durationMs });
    const lines = reporter.report().errors.map(({ path, message }) => `${path}: ${message}`);
    return { ok, lines, actions: pass.actions };
  }

  /** Scans every directory for the next pass. */
  async scanAhead(): Promise<Answer> {
    const { directories, clock } = this.#options;
    const startedAt = clock.monotonic();
    await Promise.all([...directories.all.values()].map(({ passes }) => passes.scanAhead()));
    this.#scanMs = clock.monotonic() - startedAt;
    return { ok: true, lines: [], actions: [] };
  }

  /** The same as {@link run} in the background: an error is logged, and the next pass follows. */
  async runLogged(): Promise<void> {
    try {
      await this.run();
    } catch (error) {
      this.#options.log.error('a full pass failed', { error });
    }
  }

  /**
   * Runs a pass again and again while Main is connected.
   * @param every the interval, milliseconds
   */
  async repeat(every: () => number, isConnected: () => boolean, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await pause(this.#options.clock, jitter(every()), signal);
      if (isConnected()) await this.runLogged();
    }
  }

  async #pass(
    directories: readonly AgentDirectory[],
    isScanned: boolean,
  ): Promise<{ readonly ok: boolean; readonly actions: readonly PlannedAction[] }> {
    const { reloads, tasks, keepMs } = this.#options;
    const passes = await Promise.all(directories.map((directory) => directory.passes.run(isScanned)));
    for (const { policy } of directories) {
      const { reload, reloadAlways } = policy;
      if (!reloadAlways || reload === 'none') continue;
      reloads.add(reload);
      tasks.run('a reload failed', () => reloads.request(reload));
    }
    for (const directory of directories) await directory.purge(keepMs());
    const isActive = await reloads.requestAll();
    return {
      ok: passes.every(({ ok }) => ok) && isActive,
      actions: passes.flatMap(({ actions }) => actions),
    };
  }
}
