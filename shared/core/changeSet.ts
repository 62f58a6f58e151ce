import type { Stamp } from './manifest/stamp.ts';
import type { Entry, FileEntry } from './manifest/entry.ts';

/** All changes of one pass to one directory on one host. They become visible together. */
export type ChangeSet = {
  /** Sorts by time; names the change set in journal, trash and history. */
  readonly id: string;
  readonly directory: string;
  readonly steps: readonly Step[];
  /** On Main: the MDS that caused it, if one did. */
  readonly mds?: string;
};

/**
 * `expect` is the stamp that the path must have just before, or undefined when nothing may be there
 * (for a folder: '', any folder). Disk that differs makes the step `stale`.
 */
export type Step =
  /** A staged object takes the path. The previous one goes to the trash. */
  | {
      readonly kind: 'put';
      readonly path: string;
      readonly entry: Entry;
      readonly expect: Stamp | undefined;
      readonly staged: Staged;
      readonly reason: string;
    }
  /** Mode, owner or mtime change in place. */
  | {
      readonly kind: 'metadata';
      readonly path: string;
      readonly entry: Entry;
      readonly expect: Stamp;
      readonly reason: string;
    }
  /** The object at the path goes to the trash; a folder only when it is empty. */
  | {
      readonly kind: 'remove';
      readonly path: string;
      readonly entry: Entry;
      readonly expect: Stamp;
      readonly reason: string;
    }
  /** The file at `from` gets this path, where nothing may be. `expect` is its stamp under the old name. */
  | {
      readonly kind: 'move';
      readonly path: string;
      readonly from: string;
      readonly entry: FileEntry;
      readonly expect: Stamp;
      readonly reason: string;
    }
  /** Content that loses a conflict goes to the trash without ever having been visible. */
  | {
      readonly kind: 'keep';
      readonly path: string;
      readonly entry: Entry;
      readonly staged: Staged;
      readonly reason: string;
    };

/** A file, link or folder in the staging area, under a generated name. */
export type Staged = { readonly name: string; readonly inode: string };

export type Outcome = {
  readonly step: Step;
  readonly result: 'done' | 'stale' | 'failed';
  /** The path's stamp afterwards, for `done`, when the path exists. */
  readonly stamp?: Stamp;
  /** For `failed`. */
  readonly errno?: string;
};

/**
 * An id that sorts by time.
 * @param random about eight hexadecimal digits, so that two ids of one millisecond differ
 */
export function changeSetId(now: number, random: string): string {
  return `${new Date(now).toISOString().replaceAll(/[-:.]/g, '')}-${random}`;
}

/** What a step expects that replaces whatever is at a path now: its stamp, '' when it has none, undefined for nothing. */
export function stampToReplace(
  here: { get(path: string): unknown; stampAt(path: string): Stamp | undefined },
  path: string,
): Stamp | undefined {
  return here.get(path) === undefined ? undefined : (here.stampAt(path) ?? '');
}

/** What became of a file that was to be staged. */
export type StagingResult =
  | { readonly result: 'staged'; readonly staged: Staged }
  /** The sender no longer has the requested content, or sent other content. */
  | { readonly result: 'stale'; readonly why: string; readonly isOther?: true }
  /** It could not be written here; the rest of the archive still can. */
  | { readonly result: 'failed'; readonly why: string };
