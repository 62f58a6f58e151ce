/**
 * Since when each MDS is behind, or in sync. A change that is delivered quickly makes an MDS behind only for that
 * moment; a stuck one keeps its start, so its lag grows.
 */
export class SyncTimes {
  readonly #behind = new Map<string, number>();
  readonly #inSync = new Map<string, number>();

  /**
   * Updates the state of an MDS.
   * @param behindAt when it fell behind, if known more precisely; milliseconds since 1970
   */
  update(name: string, isInSync: boolean, now: number, behindAt: number | undefined): void {
    const [is, was] = isInSync ? [this.#inSync, this.#behind] : [this.#behind, this.#inSync];
    was.delete(name);
    if (!is.has(name)) is.set(name, Math.min(now, isInSync ? now : (behindAt ?? now)));
  }

  /** Drops an MDS whose state is unknown. */
  forget(name: string): void {
    this.#behind.delete(name);
    this.#inSync.delete(name);
  }

  behindSince(name: string): number | undefined {
    return this.#behind.get(name);
  }

  inSyncSince(name: string): number | undefined {
    return this.#inSync.get(name);
  }
}
