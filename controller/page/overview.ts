import type { ListedTrash, Status } from '../control/contract/contract.ts';

/** One line of a file, as the page shows it around an error. */
export type ExcerptLine = { readonly line: number; readonly text: string };

/** What one save changed, on every MDS that it reached. */
export type RecentChangeSet = {
  /** Each MDS has a change set of its own for it: the id of one of them stands for all. */
  readonly id: string;
  readonly directory: string;
  /** ISO 8601, UTC: when it was first carried out anywhere. */
  readonly at: string;
  readonly mds: readonly string[];
  /** By whom: `watcher` or `reconcile` for a change on Main's disk, an MDS, `command by USER`. */
  readonly actors: readonly string[];
  /** What it changes for callers; null for no dialplan. */
  readonly dialplan: string | null;
  /** How many paths had which action, such as `send` or `remove`. */
  readonly actions: Readonly<Record<string, number>>;
  /** Some of its paths. */
  readonly paths: readonly string[];
  readonly count: number;
};

/** A recording that both sides had changed: the newer version won, the older one is in Main's trash. */
export type Conflict = {
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly mds: string;
  readonly path: string;
  readonly reason: string;
  readonly changeSet: string;
};

/** What can be brought back, of Main and of every MDS that is connected: fetched when somebody looks. */
export type TrashListing = {
  readonly items: readonly ListedTrash[];
  /** How many there are that are not listed. */
  readonly more: number;
  readonly problems: readonly string[];
};

/** Everything that the first page shows. */
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
  /** By whom; null where an older version wrote it. */
  readonly actor: string | null;
};

/** A line of a diff: `+`, `-` or a blank, then the text. */
export type DiffLine = { readonly sign: '+' | '-' | ' '; readonly text: string };

/** The page of one change set. */
export type ChangeSetDetails = {
  readonly id: string;
  readonly directory: string;
  /** What it changes for callers, for a dialplan. */
  readonly dialplan: string | null;
  readonly rows: readonly ChangedPath[];
  readonly diffs: readonly { readonly path: string; readonly lines: readonly DiffLine[] }[];
};
