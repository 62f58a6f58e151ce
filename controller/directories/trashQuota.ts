import { errnoOf } from '#host/fs/errno.ts';
import type { Logger } from '#host/log/logger.ts';
import { sharesInTrash } from '#sync/trash/trash.ts';
import type { TrashShare } from '#sync/trash/trashUsage.ts';

/**
 * How much of one directory's trash on Main each MDS has filled. It is counted on disk, where the trash tells who
 * displaced what, so that neither a restart nor a lost state forgives anything, and what is gone counts no more.
 */
export class TrashQuota {
  readonly #root: string;
  readonly #log: Pick<Logger, 'error'>;
  /** By change set; undefined while it has to be counted anew. */
  #counted: Map<string, TrashShare> | undefined;
  /** What is being displaced right now, bytes, by MDS. */
  readonly #promised = new Map<string, number>();

  constructor(root: string, log: Pick<Logger, 'error'>) {
    this.#root = root;
    this.#log = log;
  }

  /** Bytes, with those that are promised. */
  of(mds: string): number {
    this.#counted ??= this.#count();
    let bytes = this.#promised.get(mds) ?? 0;
    for (const share of this.#counted.values()) if (share.mds === mds) bytes += share.bytes;
    return bytes;
  }

  /** Counts what an MDS is about to displace, until it is {@link displaced} or came to nothing. @returns ends that */
  promise(mds: string, bytes: number): () => void {
    const add = (more: number): void => void this.#promised.set(mds, (this.#promised.get(mds) ?? 0) + more);
    add(bytes);
    return () => add(-bytes);
  }

  /** A change set is over. @param measure looks at its trash; undefined when it displaced nothing after all */
  displaced(changeSet: string, measure: () => TrashShare | undefined): void {
    try {
      const share = measure();
      if (share !== undefined) this.#counted?.set(changeSet, share);
    } catch {
      // What can't be read now is looked at once more when it is asked for, and told then.
      this.forget();
    }
  }

  /** What is in the trash has changed in other ways: it is counted anew when somebody asks. */
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
