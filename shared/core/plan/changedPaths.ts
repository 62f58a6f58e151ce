/** Most paths that are kept: with more, a plan over everything costs little more. */
const MOST = 1_000;

/** The paths of which something has changed since they were taken last, as long as they are few. */
export class ChangedPaths {
  /** Undefined when it may be any path. */
  #paths: Set<string> | undefined;

  note(path: string): void {
    if (this.#paths === undefined) return;
    if (this.#paths.size < MOST) this.#paths.add(path);
    else this.#paths = undefined;
  }

  noteAll(): void {
    this.#paths = undefined;
  }

  /** Begins again. @returns undefined when any path may have changed, as before the first call */
  take(): ReadonlySet<string> | undefined {
    const taken = this.#paths;
    this.#paths = new Set();
    return taken;
  }
}
