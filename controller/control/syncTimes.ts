/**
 * Since when each MDS is behind, or in sync. A change that is delivered in a moment makes an MDS behind for that
 * moment only; one that is stuck keeps its first time, so that its lag grows.
 */
export class SyncTimes {
  readonly #behind = new Map<string, number>();
  readonly #inSync = new Map<string, number>();

  /**
   * Takes over how an MDS is now.
   * @param behindAt when it fell behind, where that is known better than by looking; milliseconds since 1970
   */
  update(name: string, isInSync: boolean, now: number, behindAt: number | undefined): void {
    const [is, was] = isInSync ? [this.#inSync, this.#behind] : [this.#behind, this.#inSync];
    was.delete(name);
    if (!is.has(name)) is.set(name, Math.min(now, isInSync ? now : (behindAt ?? now)));
  }

  /** Forgets an MDS of which nothing is known. */
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
