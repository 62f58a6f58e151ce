/**
 * A file's content: its bytes or, for a file over the reader's size limit, its size and its beginning.
 */
export type DialplanContent = Buffer | { readonly size: number; readonly head: Buffer };

/**
 * The files as Asterisk would find them, provided by the caller, which can read a disk. Paths are absolute. Both functions
 * follow links; neither throws for a missing file.
 */
export type DialplanWorld = {
  /** The synchronised folder. Files in it are named by their path below it. */
  readonly folder: string;
  /** Asterisk's outermost file, extensions.conf, if it can be read; undefined when only the folder is known. */
  readonly start: string | undefined;
  /** The absolute path or pattern of an include's `name`, with one spelling for the folder. */
  readonly locate: (name: string) => string;
  /** The names in a folder, including hidden ones, in any order; empty for a missing folder. */
  readonly list: (folder: string) => readonly string[];
  /** A regular file; undefined when it is missing or not readable. */
  readonly read: (path: string) => DialplanContent | undefined;
};

/** The name of a file in findings: relative below the synchronised folder, absolute elsewhere. */
export function nameIn(folder: string, path: string): string {
  return path.startsWith(`${folder}/`) ? path.slice(folder.length + 1) : path;
}
