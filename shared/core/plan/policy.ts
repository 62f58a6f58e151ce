/** How one synchronised directory behaves. Main's configuration decides; agents are told. */
export type Policy = {
  readonly name: string;
  readonly direction: 'to-mds' | 'both';
  readonly deletions: 'main' | 'both' | 'never';
};

/** A pass that would remove more than `percent` % and more than `files` files of a directory is held. */
export type Guard = { readonly percent: number; readonly files: number };
