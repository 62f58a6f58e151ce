import type { AgentReport } from '#protocol/messages/session.ts';
import type { MainDirectory } from './mainDirectory.ts';

/** One canary; its report is undefined when it is not connected or has not reported yet. */
export type Canary = { readonly name: string; readonly report: AgentReport | undefined };

/**
 * Delivers changes of directories with a reload to the canaries first. The other MDS wait until every canary has the
 * change, has reloaded successfully, and reports no problem.
 */
export class CanaryGate {
  readonly #listed: () => readonly string[];
  /** The revision of each directory that is released to all MDS. */
  readonly #opened = new Map<string, number>();

  /** @param names the canaries that are enrolled now; changes do not wait for others */
  constructor(names: () => readonly string[]) {
    this.#listed = names;
  }

  get #names(): ReadonlySet<string> {
    return new Set(this.#listed());
  }

  /** The reason why this MDS has to wait with a directory, or null. */
  hold(directory: MainDirectory, mds: string): string | null {
    if (!this.#concerns(directory) || this.#names.has(mds)) return null;
    if (this.#opened.get(directory.name) === directory.revision) return null;
    return `waits until the change is good on ${[...this.#names].join(', ')} (canary)`;
  }

  /**
   * Takes a report of a canary.
   * @returns true when this releases the change to the other MDS
   */
  judge(directory: MainDirectory, canaries: readonly Canary[]): boolean {
    if (!this.#concerns(directory) || this.#opened.get(directory.name) === directory.revision) return false;
    if (canaries.length === 0 || !canaries.every(({ report }) => isGood(directory, report))) return false;
    this.open(directory);
    return true;
  }

  /** Releases the change in spite of the canaries, at a person's request. */
  open(directory: MainDirectory): void {
    this.#opened.set(directory.name, directory.revision);
  }

  isCanary(mds: string): boolean {
    return this.#names.has(mds);
  }

  #concerns({ config }: MainDirectory): boolean {
    return this.#names.size > 0 && config.reload !== 'none';
  }
}

function isGood(
  { name, revision, replica, config }: MainDirectory,
  report: AgentReport | undefined,
): boolean {
  const reported = report?.directories.find((each) => each.name === name);
  if (report === undefined || reported === undefined) return false;
  const isThere = reported.revision === revision && reported.pending === 0 && reported.held === null;
  // The reload is pending from before the files are visible until Asterisk has accepted them.
  const isActive = config.reload === 'none' || !report.owedReloads.includes(config.reload);
  const complains = report.errors.some(({ path }) => path.startsWith(`${name}/`));
  return isThere && reported.digest === replica.digest && isActive && !complains;
}
