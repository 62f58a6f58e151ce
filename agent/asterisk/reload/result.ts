/** What a reload makes Asterisk read again. */
export type ReloadKind = 'dialplan' | 'moh';

export const RELOAD_KINDS: readonly ReloadKind[] = ['dialplan', 'moh'];

/** Why Asterisk did not take what is on disk, as far as it said so. `line` counts from 1 within `file`. */
export type Refusal = { readonly file?: string; readonly line?: number; readonly message: string };

/** How one reload ended. */
export type ReloadResult = {
  readonly kind: ReloadKind;
  /** When the reload started, in milliseconds since 1970. */
  readonly at: number;
  readonly ok: boolean;
  readonly durationMs: number;
  /** What Asterisk printed, at most OUTPUT_LIMIT bytes of it. */
  readonly output: string;
  /** Present when Asterisk read the files and did not take them: the previous files belong back. */
  readonly refusal?: Refusal;
  /** True when Asterisk did not answer: nothing is known about the files, and the reload stays owed. */
  readonly away?: boolean;
};
