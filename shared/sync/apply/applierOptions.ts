import type { ChangeSet, Outcome } from '#core/changeSet.ts';
import type { Stamp } from '#core/manifest/stamp.ts';
import type { Lane } from '#host/process/turns.ts';
import type { Clock } from '#host/time/clock.ts';
import type { StagingThread } from './thread/stagingThread.ts';
import type { Journal } from '../state/changeSetJournal.ts';

/** Writes a finished change set into ledger and history, inside the transaction that ends its journal entry. */
export type OnCommit = (changeSet: ChangeSet, outcomes: readonly Outcome[]) => void;

/**
 * An object that became visible, or whose metadata was changed. `isArrival` when that was one rename to a free name, and nothing
 * else happened to it.
 */
export type Placed = readonly [path: string, stamp: Stamp, isArrival: boolean];

/** What an applier calls. */
export type ApplierEvents = {
  /**
   * Called synchronously when paths became visible, before the watch can report them.
   * @param left names that files had until then, each of which was one rename away from it
   */
  readonly onPlaced: (placed: readonly Placed[], left: readonly string[]) => void;
  /** Called when the placed paths could not be recorded in the state. */
  readonly onPlacedLost: (paths: readonly string[]) => void;
  /** Called when a change set that was visible but not recorded has been recorded. */
  readonly onFinished: () => void;
};

/** How the content of files is received and becomes visible. */
export type Receiving = {
  /** From this size on, the received part of an interrupted transfer is kept, bytes; {@link RESUMABLE} when absent. */
  readonly resumableFrom?: number | undefined;
  /** Stages small files when there are many, and writes and hashes larger ones; without it the calling thread does. */
  readonly thread?: StagingThread | undefined;
  /** Has each change set wait for its turn before it is made durable, becomes visible, and is recorded. */
  readonly lane?: Lane | undefined;
};

export type ApplierOptions = {
  readonly directory: string;
  /** Absolute path of the synchronised directory. */
  readonly path: string;
  readonly journal: Journal;
  readonly clock: Clock;
  /** Free bytes that must remain on the file system. */
  readonly reserve: number;
  readonly receiving?: Receiving;
  /**
   * Calls `show`, which makes a change set visible in one go, while no program is reading the directory as a whole. When
   * absent, `show` is called at once.
   * @param signal aborted when this directory is being closed: then `show` is called without any further wait
   */
  readonly withLease?: <T>(show: () => T, signal: AbortSignal) => Promise<T>;
  readonly events?: ApplierEvents;
};

/** The options of an applier that runs. */
export type Applying = ApplierOptions & {
  /** Aborted when the applier is being closed. */
  readonly ending: AbortSignal;
};
