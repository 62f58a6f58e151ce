/**
 * Background work of one owner. Errors are reported, and stopping the owner waits for all of its tasks, so that no task
 * uses resources that are closed already.
 */
export class Tasks {
  readonly #onError: (what: string, error: unknown) => void;
  readonly #running = new Set<Promise<void>>();

  constructor(onError: (what: string, error: unknown) => void) {
    this.#onError = onError;
  }

  get size(): number {
    return this.#running.size;
  }

  /** @param what name of the work, for the log, if it fails */
  run(what: string, work: () => Promise<unknown>): void {
    const running = this.#carryOut(what, work).finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** Resolves when no task is running, including tasks started in the meantime. */
  async ended(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  async #carryOut(what: string, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#onError(what, error);
    }
  }
}
