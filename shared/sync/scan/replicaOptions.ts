import type { Owners } from '#host/fs/owners.ts';
import type { Clock } from '#host/time/clock.ts';
import type { ScanIndex } from '../state/scanIndex.ts';
import type { Changes } from './pathIndex.ts';

/** How a directory is read on this host. */
export type DirectoryRules = {
  readonly name: string;
  /** How long a file must have been quiet, milliseconds. */
  readonly settle: number;
  /** True when an empty directory is suspicious, because its emptiness would remove files elsewhere. */
  readonly emptyIsHeld: boolean;
  /** True when the files belong together: changes of the same moment are reported once all of them have settled. */
  readonly whole: boolean;
  /** True when a file that was read may be reported before others of the same moment, if reading them takes long. */
  readonly inParts?: boolean;
};

/**
 * Receives what a scan has found.
 * @param continues true when this belongs to what was handed out before it
 */
export type HandOut = (changes: Changes, continues: boolean) => void;

/** What a replica calls. */
export type ReplicaEvents = {
  readonly onChanges: HandOut;
  /** Called when the directory becomes held or unreadable, and when that ends. */
  readonly onHeld: () => void;
  /** Called when a folder was found under another name, while its files are still being read; only a hint. */
  readonly onFolderRenamed?: ((from: string, to: string) => void) | undefined;
  readonly onError: (error: unknown) => void;
};

export type ReplicaOptions = {
  readonly rules: DirectoryRules;
  /** Absolute path of the synchronised directory on this host. */
  readonly path: string;
  /** Relative paths of the synchronised directories inside this one. */
  readonly nested: ReadonlySet<string>;
  /** True for an excluded name, which this host ignores unless it is known already; none when absent. */
  readonly isExcluded?: (path: string, isFolder: boolean) => boolean;
  readonly index: ScanIndex;
  readonly owners: Owners;
  readonly clock: Clock;
  readonly events: ReplicaEvents;
};
