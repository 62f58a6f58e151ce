import { errnoOf } from '#host/fs/errno.ts';
import type { Logger } from '#host/log/logger.ts';
import { inSlices } from '#host/time/timeSlice.ts';
import { sharesInTrash } from '#sync/trash/trash.ts';
import type { TrashShare } from '#sync/trash/trashUsage.ts';

/**
 * The share of one directory's trash on Main that each MDS has filled. It is counted on disk, where each item of the
 * trash has its originator, so it survives a restart or a lost state, and expired items no longer count.
 */
export class TrashQuota {
  readonly #root: string;
  readonly #log: Pick<Logger, 'error'>;
  /** By change set, as it was counted last; undefined before. */
  #counted: Map<string, TrashShare> | undefined;
  #counting: Promise<void> | undefined;
  /** Whether the trash has changed in ways that were not noted, so that it has to be counted again. */
  #isOutdated = true;
  /** What was displaced while the trash is counted: it may have been looked at before that. */
  readonly #meanwhile = new Map<string, TrashShare>();
  /** Bytes that are being displaced now, by MDS. */
  readonly #promised = new Map<string, number>();

  constructor(root: string, log: Pick<Logger, 'error'>) {
    this.#root = root;
    this.#log = log;
  }

  /** Counts the trash where that is necessary; without it, {@link of} does not know of all. */
  async ready(): Promise<void> {
    while (this.#isOutdated)
      await (this.#counting ??= this.#count().finally(() => (this.#counting = undefined)));
  }

  /** Bytes, including reserved ones. */
  of(mds: string): number {
    let bytes = this.#promised.get(mds) ?? 0;
    for (const share of this.#counted?.values() ?? []) if (share.mds === mds) bytes += share.bytes;
    return bytes;
  }

  /**
   * Reserves what an MDS is about to displace, until it is {@link displaced} or cancelled. @returns cancels the
   * reservation
   */
  promise(mds: string, bytes: number): () => void {
    const add = (more: number): void => void this.#promised.set(mds, (this.#promised.get(mds) ?? 0) + more);
    add(bytes);
    return () => add(-bytes);
  }

  /** Ends the reservation of a change set. @param measure measures its trash; undefined when it displaced nothing */
  displaced(changeSet: string, measure: () => TrashShare | undefined): void {
    try {
      const share = measure();
      if (share === undefined) return;
      this.#counted?.set(changeSet, share);
      if (this.#counting !== undefined) this.#meanwhile.set(changeSet, share);
    } catch {
      // An unreadable trash is counted again, and reported, at the next request.
      this.forget();
    }
  }

  /** The trash has changed otherwise: it is counted again at the next request. */
  forget(): void {
    this.#isOutdated = true;
  }

  async #count(): Promise<void> {
    // From here on, what makes the count outdated makes it be repeated.
    this.#isOutdated = false;
    this.#meanwhile.clear();
    const onUnreadable = (set: string, error: unknown): void =>
      this.#log.error('the trash could not be counted', { changeSet: set, reason: errnoOf(error) });
    try {
      this.#counted = await inSlices(sharesInTrash(this.#root, onUnreadable));
    } catch {
      // The directory can't be opened, so nothing can be written there either; the write reports the error.
      this.#counted = new Map();
    }
    for (const [changeSet, share] of this.#meanwhile) this.#counted.set(changeSet, share);
  }
}
