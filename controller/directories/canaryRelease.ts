import type { Logger } from '#host/log/logger.ts';
import type { AgentReport } from '#protocol/messages/session.ts';
import { CanaryGate } from './canaryGate.ts';
import type { MainDirectory } from './mainDirectory.ts';

export type CanaryReleaseOptions = {
  readonly directories: ReadonlyMap<string, MainDirectory>;
  /** The canaries that are enrolled now. */
  readonly canaries: () => readonly string[];
  /** What an MDS said last; undefined while it is not connected. */
  readonly reportOf: (mds: string) => AgentReport | undefined;
  /** Every MDS is to hear again what holds for a directory. */
  readonly onRelease: (directory: MainDirectory) => void;
  readonly log: Logger;
};

/** Lets all MDS have what the canaries took well, or what a person lets them have. */
export class CanaryRelease {
  readonly gate: CanaryGate;
  readonly #options: CanaryReleaseOptions;

  constructor(options: CanaryReleaseOptions) {
    this.#options = options;
    this.gate = new CanaryGate(options.canaries);
  }

  /** A canary reported. */
  judge(): void {
    const { directories, canaries, reportOf, onRelease, log } = this.#options;
    const reports = canaries().map((name) => ({ name, report: reportOf(name) }));
    for (const directory of directories.values()) {
      if (!this.gate.judge(directory, reports)) continue;
      log.info('the canaries are healthy: released to all MDS', { directory: directory.name });
      onRelease(directory);
    }
  }

  /** A person lets every MDS have what waits for the canaries. */
  open(directory: MainDirectory): void {
    this.gate.open(directory);
    this.#options.onRelease(directory);
  }
}
