/** The rules of one synchronised directory. Main's configuration sets them; agents receive them from Main. */
export type Policy = {
  readonly name: string;
  readonly direction: 'to-mds' | 'both';
  readonly deletions: 'main' | 'both' | 'never';
};

/** Removals are put on hold when a pass would remove more than `percent` % and more than `files` files of the directory. */
export type Guard = { readonly percent: number; readonly files: number };
