import { errnoOf } from '#host/fs/errno.ts';
import type { Logger } from '#host/log/logger.ts';
import { sharesInTrash } from '#sync/trash/trash.ts';
import type { TrashShare } from '#sync/trash/trashUsage.ts';

/**
 * The share of one directory's trash on Main that each MDS has filled. It is counted on disk, where each item of the
 * trash has its originator, so it survives a restart or a lost state, and expired items no longer count.
 */
export class TrashQuota {
  readonly #root: string;
  readonly #log: Pick<Logger, 'error'>;
  /** By change set; undefined while it has to be counted again. */
  #counted: Map<string, TrashShare> | undefined;
  /** Bytes that are being displaced now, by MDS. */
  readonly #promised = new Map<string, number>();

  constructor(root: string, log: Pick<Logger, 'error'>) {
    this.#root = root;
    this.#log = log;
  }

  /** Bytes, including reserved ones. */
  of(mds: string): number {
    this.#counted ??= this.#count();
    let bytes = this.#promised.get(mds) ?? 0;
    for (const share of this.#counted.values()) if (share.mds === mds) bytes += share.bytes;
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
      if (share !== undefined) this.#counted?.set(changeSet, share);
    } catch {
      // An unreadable trash is counted again, and reported, at the next request.
      this.forget();
    }
  }

  /** The trash has changed otherwise: it is counted again at the next request. */
  forget(): void {
    this.#counted = undefined;
  }

  #count(): Map<string, TrashShare> {
    try {
      return sharesInTrash(this.#root, (set, error) =>
        this.#log.error('the trash could not be counted', { changeSet: set, reason: errnoOf(error) }),
      );
    } catch {
      // The directory can't be opened, so nothing can be written there either; the write reports the error.
      return new Map();
    }
  }
}
