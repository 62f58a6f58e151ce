import type { OnCommit } from '../apply/applierOptions.ts';
import type { Changes } from '../scan/pathIndex.ts';

/** How a directory is read on this host. */
export type DirectoryRules = {
  readonly name: string;
  /** How long a file must have been quiet, milliseconds. */
  readonly settle: number;
  /** True when an empty directory is suspicious, because its emptiness would remove files elsewhere. */
  readonly emptyIsHeld: boolean;
  /** True when the files belong together: changes of the same moment are reported once all of them have settled. */
  readonly whole: boolean;
};

/** What Main and an MDS do differently with a directory of theirs: {@link SyncDirectory} calls it. */
export interface DirectorySide {
  /** True for an excluded name, which this host ignores unless it is known already. */
  isExcluded(path: string, isFolder: boolean): boolean;
  /** Takes over what changed on disk. @throws when the state can't be written: the same changes come again */
  takeChanges(changes: Changes): void;
  /** The directory became held or unreadable, or that ended. */
  holdChanged(): void;
  /** Calls `show`, which makes a change set visible, while no program is reading the directory as a whole. */
  withLease<T>(show: () => T, signal: AbortSignal): Promise<T>;
  /** Records what a change set did that a crash had cut off, in the transaction that ends it. */
  readonly recordRecovered: OnCommit;
  /** A change set that was visible but not recorded has been recorded. */
  recovered(): void;
  /** The directory was read for the first time since the start. */
  scanned(): void;
  /** Ends the work on the directory: no hint arrives any more, and the picture of the disk is still kept. */
  endWork(): Promise<void>;
}
