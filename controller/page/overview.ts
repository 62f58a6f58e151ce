import type { Status } from '../control/contract/contract.ts';

/** One line of a file, as the page shows it around an error. */
export type ExcerptLine = { readonly line: number; readonly text: string };

/** What one change set did, wherever it did it. */
export type RecentChangeSet = {
  readonly id: string;
  readonly directory: string;
  /** ISO 8601, UTC: when it was first carried out anywhere. */
  readonly at: string;
  readonly mds: readonly string[];
  /** How many paths had which action, such as `send` or `remove`. */
  readonly actions: Readonly<Record<string, number>>;
  /** Some of its paths. */
  readonly paths: readonly string[];
  readonly count: number;
};

/** Everything that the first page shows. */
export type Overview = {
  readonly status: Status;
  /** Seconds behind, the worst of every five minutes of the last 24 hours, oldest first; null where nothing is known. */
  readonly behind: Readonly<Record<string, readonly (number | null)[]>>;
  readonly changeSets: readonly RecentChangeSet[];
  /** Text around what lint found, by `directory/path:line`. */
  readonly excerpts: Readonly<Record<string, readonly ExcerptLine[]>>;
};

/** One path of a change set. */
export type ChangedPath = {
  readonly mds: string;
  readonly action: string;
  readonly path: string;
  readonly reason: string;
  /** ISO 8601, UTC. */
  readonly at: string;
};

/** A line of a diff: `+`, `-` or a blank, then the text. */
export type DiffLine = { readonly sign: '+' | '-' | ' '; readonly text: string };

/** The page of one change set. */
export type ChangeSetDetails = {
  readonly id: string;
  readonly directory: string;
  readonly rows: readonly ChangedPath[];
  readonly diffs: readonly { readonly path: string; readonly lines: readonly DiffLine[] }[];
};
