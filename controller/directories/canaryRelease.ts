import type { Logger } from '#host/log/logger.ts';
import type { AgentReport } from '#protocol/messages/session.ts';
import { CanaryGate } from './canaryGate.ts';
import type { MainDirectory } from './mainDirectory.ts';

export type CanaryReleaseOptions = {
  readonly directories: ReadonlyMap<string, MainDirectory>;
  /** The canaries that are enrolled now. */
  readonly canaries: () => readonly string[];
  /** The last report of an MDS; undefined while it is not connected. */
  readonly reportOf: (mds: string) => AgentReport | undefined;
  /** Called when the permission for a directory has changed and is to be sent to every MDS. */
  readonly onRelease: (directory: MainDirectory) => void;
  readonly log: Logger;
};

/** Releases a change to all MDS once the canaries have accepted it, or when a person does. */
export class CanaryRelease {
  readonly gate: CanaryGate;
  readonly #options: CanaryReleaseOptions;

  constructor(options: CanaryReleaseOptions) {
    this.#options = options;
    this.gate = new CanaryGate(options.canaries);
  }

  /** Takes a report of a canary. */
  judge(): void {
    const { directories, canaries, reportOf, onRelease, log } = this.#options;
    const reports = canaries().map((name) => ({ name, report: reportOf(name) }));
    for (const directory of directories.values()) {
      if (!this.gate.judge(directory, reports)) continue;
      log.info('the canaries are healthy: released to all MDS', { directory: directory.name });
      onRelease(directory);
    }
  }

  /** Releases to every MDS what waits for the canaries. */
  open(directory: MainDirectory): void {
    this.gate.open(directory);
    this.#options.onRelease(directory);
  }
}
