import type { OnCommit } from '../apply/applierOptions.ts';
import type { Changes } from '../scan/pathIndex.ts';

/** The parts in which Main and an MDS differ; called by {@link SyncDirectory}. */
export interface DirectorySide {
  /** True for an excluded name, which this host ignores unless it is known already. */
  isExcluded(path: string, isFolder: boolean): boolean;
  /**
   * Records changes on disk.
   * @param continues true when they belong to those before them
   * @throws when the state can't be written; the same changes are then found again
   */
  takeChanges(changes: Changes, continues: boolean): void;
  /** Called when a folder was found under another name, before the changes of its files are found; only a hint. */
  folderRenamed?(from: string, to: string): void;
  /** Called when a hold or a read error begins or ends. */
  holdChanged(): void;
  /** Calls `show`, which makes a change set visible, while no program is reading the directory as a whole. */
  withLease<T>(show: () => T, signal: AbortSignal): Promise<T>;
  /** Records the result of an interrupted change set, in the transaction that ends it. */
  readonly recordRecovered: OnCommit;
  /** Called when a change set that was visible but not recorded has been recorded. */
  recovered(): void;
  /** Called after the first scan since the start. */
  scanned(): void;
  /** Stops work on the directory; no further events arrive, and the replica is still maintained. */
  endWork(): Promise<void>;
}
