/** The rules of one synchronised directory. Main's configuration sets them; agents receive them from Main. */
export type Policy = {
  readonly name: string;
  readonly direction: 'to-mds' | 'both';
  readonly deletions: 'main' | 'both' | 'never';
};

/**
 * True where a folder that Main renames may be renamed on an MDS as a whole: files travel from Main alone, one by one, and what
 * Main has no more goes. Pure.
 * @param reload what Asterisk reloads after a change of the directory
 */
export function mayRenameFolders({
  direction,
  deletions,
  reload,
}: Pick<Policy, 'direction' | 'deletions'> & { readonly reload: string }): boolean {
  return direction !== 'both' && deletions !== 'never' && reload === 'none';
}

/** Removals are put on hold when a pass would remove more than `percent` % and more than `files` files of the directory. */
export type Guard = { readonly percent: number; readonly files: number };
