import type { ListedTrash, Status } from '../control/contract/contract.ts';

/** One line of a file, as the page shows it around an error. */
export type ExcerptLine = { readonly line: number; readonly text: string };

/** The changes of one save, on every MDS that it reached. */
export type RecentChangeSet = {
  /** The save's id, by which the history of every host names it; of what follows no save, the change set's. */
  readonly id: string;
  readonly directory: string;
  /** ISO 8601, UTC: when the first host carried it out. */
  readonly at: string;
  readonly mds: readonly string[];
  /** The actor: `watcher` or `reconcile` for a change on Main's disk, an MDS, `command by USER`. */
  readonly actors: readonly string[];
  /** The effect for callers; null if it is not dialplan. */
  readonly dialplan: string | null;
  /** Number of paths by action, such as `send` or `remove`. */
  readonly actions: Readonly<Record<string, number>>;
  /** Some of its paths. */
  readonly paths: readonly string[];
  readonly count: number;
};

/** A recording that both sides changed: the newer version won, the older one is in Main's trash. */
export type Conflict = {
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly mds: string;
  readonly path: string;
  readonly reason: string;
  readonly changeSet: string;
};

/** The items that can be restored, on Main and on every connected MDS; fetched on request. */
export type TrashListing = {
  readonly items: readonly ListedTrash[];
  /** Number of items that are not listed. */
  readonly more: number;
  readonly problems: readonly string[];
};

/** The data of the first page. */
export type Overview = {
  readonly status: Status;
  /** Seconds behind, the worst of every five minutes of the last 24 hours, oldest first; null where nothing is known. */
  readonly behind: Readonly<Record<string, readonly (number | null)[]>>;
  readonly changeSets: readonly RecentChangeSet[];
  readonly conflicts: readonly Conflict[];
  /** Text around what lint found, by `directory/path:line`. */
  readonly excerpts: Readonly<Record<string, readonly ExcerptLine[]>>;
};

/** One path of a change set. */
export type ChangedPath = {
  readonly mds: string;
  readonly changeSet: string;
  readonly action: string;
  readonly path: string;
  readonly reason: string;
  /** ISO 8601, UTC. */
  readonly at: string;
  /** The actor; null in rows of an older version. */
  readonly actor: string | null;
};

/** A line of a diff: `+`, `-` or a blank, then the text. */
export type DiffLine = { readonly sign: '+' | '-' | ' '; readonly text: string };

/** The page of one change set. */
export type ChangeSetDetails = {
  readonly id: string;
  readonly directory: string;
  /** The effect for callers, for dialplan. */
  readonly dialplan: string | null;
  readonly rows: readonly ChangedPath[];
  readonly diffs: readonly { readonly path: string; readonly lines: readonly DiffLine[] }[];
};
