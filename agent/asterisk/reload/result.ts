/** The kinds of reload. */
export type ReloadKind = 'dialplan' | 'moh';

export const RELOAD_KINDS: readonly ReloadKind[] = ['dialplan', 'moh'];

/** Why Asterisk refused the files on disk, as far as known. `line` counts from 1 within `file`. */
export type Refusal = { readonly file?: string; readonly line?: number; readonly message: string };

/** Result of one reload. */
export type ReloadResult = {
  readonly kind: ReloadKind;
  /** When the reload started, in milliseconds since 1970. */
  readonly at: number;
  readonly ok: boolean;
  readonly durationMs: number;
  /** Asterisk's output, at most OUTPUT_LIMIT bytes. */
  readonly output: string;
  /** Set when Asterisk read the files and refused them, so that they have to be reverted. */
  readonly refusal?: Refusal;
  /** True when Asterisk did not answer: nothing is known about the files, and the reload stays pending. */
  readonly away?: boolean;
};
