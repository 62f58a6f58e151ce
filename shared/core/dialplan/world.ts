/**
 * What a file holds: its bytes, or, where it is larger than the bound of the reader, its size and its beginning.
 * Such a file is named and never read whole.
 */
export type DialplanContent = Buffer | { readonly size: number; readonly head: Buffer };

/**
 * The files as Asterisk would find them, handed in by whoever can read a disk. Paths are absolute. Both functions
 * follow links; neither throws for what is not there.
 */
export type DialplanWorld = {
  /** The synchronised folder: what lies in it is named by its path below it. */
  readonly folder: string;
  /** Asterisk's outermost file, extensions.conf, where it can be read; undefined where only the folder is known. */
  readonly start: string | undefined;
  /** The absolute path or pattern that an include means by `name`; one name of the folder, whichever it is called by. */
  readonly locate: (name: string) => string;
  /** The names in a folder, hidden ones included, in any order; none where there is no such folder. */
  readonly list: (folder: string) => readonly string[];
  /** A regular file; undefined where there is none, or where it may not be read. */
  readonly read: (path: string) => DialplanContent | undefined;
};

/** How findings name a file: below the synchronised folder by its path there, elsewhere by its whole path. */
export function nameIn(folder: string, path: string): string {
  return path.startsWith(`${folder}/`) ? path.slice(folder.length + 1) : path;
}
