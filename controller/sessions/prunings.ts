/** Local files of an MDS that a person on Main has removed there. */
export type Pruning = {
  readonly directory: string;
  readonly paths: ReadonlySet<string>;
  /** Such as `command by alice`. */
  readonly actor: string;
  /** The id of all that this command did, in the history. */
  readonly save: string;
};

/** The prunings that an agent is carrying out: what it reports about them is the doing of the person who asked. */
export class Prunings {
  readonly #running = new Set<Pruning>();

  async during<T>(pruning: Pruning, work: () => Promise<T>): Promise<T> {
    this.#running.add(pruning);
    try {
      return await work();
    } finally {
      this.#running.delete(pruning);
    }
  }

  /** The pruning that a reported change set belongs to: it may also contain folders that became empty. */
  of(applied: {
    readonly directory: string;
    readonly actions: readonly { readonly action: string; readonly path: string }[];
  }): Pruning | undefined {
    return [...this.#running].find(
      ({ directory, paths }) =>
        directory === applied.directory &&
        applied.actions.some(({ action, path }) => action === 'remove' && paths.has(path)),
    );
  }
}
