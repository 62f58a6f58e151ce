import type { AgentReport } from '#protocol/messages/session.ts';
import type { MainDirectory } from './mainDirectory.ts';

/** One canary as Main sees it; undefined report: it is not connected, or has not told anything yet. */
export type Canary = { readonly name: string; readonly report: AgentReport | undefined };

/**
 * Lets a change of what Asterisk reads go to the canaries first: the other MDS hold it until every canary has it,
 * reloaded well, and has nothing to complain about.
 */
export class CanaryGate {
  readonly #listed: () => readonly string[];
  /** The revision of each directory that all may have. */
  readonly #opened = new Map<string, number>();

  /** @param names the canaries that are enrolled now: one that is not keeps nobody waiting */
  constructor(names: () => readonly string[]) {
    this.#listed = names;
  }

  get #names(): ReadonlySet<string> {
    return new Set(this.#listed());
  }

  /** Why this MDS has to wait with a directory, or null. */
  hold(directory: MainDirectory, mds: string): string | null {
    if (!this.#concerns(directory) || this.#names.has(mds)) return null;
    if (this.#opened.get(directory.name) === directory.revision) return null;
    return `waits until the change is good on ${[...this.#names].join(', ')} (canary)`;
  }

  /**
   * A canary reported.
   * @returns true when the other MDS may go on now and could not before
   */
  judge(directory: MainDirectory, canaries: readonly Canary[]): boolean {
    if (!this.#concerns(directory) || this.#opened.get(directory.name) === directory.revision) return false;
    if (canaries.length === 0 || !canaries.every(({ report }) => isGood(directory, report))) return false;
    this.open(directory);
    return true;
  }

  /** A person lets the change go on, whatever the canaries say. */
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
  const told = report?.directories.find((each) => each.name === name);
  if (report === undefined || told === undefined) return false;
  const isThere = told.revision === revision && told.pending === 0 && told.held === null;
  // The reload is owed from before the files are visible until Asterisk has taken them.
  const isActive = config.reload === 'none' || !report.owedReloads.includes(config.reload);
  const complains = report.errors.some(({ path }) => path.startsWith(`${name}/`));
  return isThere && told.digest === replica.digest && isActive && !complains;
}
