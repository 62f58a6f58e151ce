import type { DirectoryConfig } from '#host/config/directoryConfig.ts';
import type { Clock } from '#host/time/clock.ts';
import type { Logger } from '#host/log/logger.ts';
import type { Excludes } from '#core/path/excludes.ts';
import { isOverride } from '#core/path/relative.ts';
import type { Replica } from '#sync/scan/replica.ts';
import { DialplanCheck } from './dialplan/dialplanCheck.ts';
import { excludedDialplan } from './excludedDialplan.ts';
import { SoundCheck } from './sound/soundCheck.ts';

export type FileWarningsOptions = {
  readonly config: DirectoryConfig;
  readonly replica: Replica;
  readonly excludes: Excludes;
  /** The prefix of Asterisk's paths (--root). */
  readonly root: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Called when a finding in Main's own files appears or is gone. */
  readonly onFinding: (detail: string) => void;
  readonly onUnread: (error: unknown) => void;
};

/** Warnings for single files on Main: Asterisk can't play or won't accept them, or reads files that no MDS gets. */
export class FileWarnings {
  readonly #options: FileWarningsOptions;
  /** Checks the sound files that only Main adds. */
  readonly #sounds: SoundCheck | undefined;
  readonly #dialplan: DialplanCheck | undefined;

  constructor(options: FileWarningsOptions) {
    this.#options = options;
    const { config, replica, clock, onUnread } = options;
    const holdsSounds = config.direction === 'to-mds' && config.reload !== 'dialplan';
    this.#sounds = holdsSounds ? new SoundCheck(replica, clock, onUnread) : undefined;
    this.#dialplan = dialplanCheck(options);
  }

  /** Called with paths that were added, changed or removed. */
  look(paths: Iterable<string>): void {
    this.#sounds?.look(paths);
    this.#dialplan?.look();
  }

  /** By path. */
  get all(): ReadonlyMap<string, string> {
    const { config, replica, excludes } = this.#options;
    if (config.reload !== 'dialplan') return this.#sounds?.warnings ?? new Map();
    const warnings = new Map(excludedDialplan(replica, excludes));
    for (const [path, reason] of this.#dialplan?.warnings ?? []) {
      const excluded = warnings.get(path);
      warnings.set(path, excluded === undefined ? reason : `${excluded}; ${reason}`);
    }
    return warnings;
  }

  async close(): Promise<void> {
    await this.#sounds?.close();
    await this.#dialplan?.close();
  }
}

function dialplanCheck(options: FileWarningsOptions): DialplanCheck | undefined {
  const { config, replica, excludes, root, clock, log, onFinding, onUnread } = options;
  if (config.reload !== 'dialplan' || config.lint === 'off') return undefined;
  return new DialplanCheck({
    clock,
    place: { path: replica.path, asteriskPath: config.path, root },
    travels: (each) => !isOverride(each) && excludes.patternFor(each, false) === undefined,
    onBegan: (each, reason) => {
      log.error('lint', { path: each, reason });
      onFinding(`${each}: ${reason}`);
    },
    onEnded: (each) => {
      log.info('lint recovered', { path: each });
      onFinding(`${each}: recovered`);
    },
    onError: onUnread,
  });
}
