/**
 * Work that nobody waits for while it runs. What goes wrong in it is heard, and whoever ends its owner waits until
 * all of it has ended: nothing is left over that would use what is closed by then.
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

  /** @param what names the work for people, should it fail */
  run(what: string, work: () => Promise<unknown>): void {
    const running = this.#carryOut(what, work).finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** Resolves when nothing runs any more; what begins meanwhile is waited for, too. */
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
