import type { Refusal, ReloadKind } from './result.ts';

/**
 * What a proof found: why Asterisk refused, if it did, and whether only another reload can tell. A note is what
 * people should know although nothing was refused.
 */
export type Verdict = {
  readonly refusal?: Refusal | undefined;
  readonly again?: boolean;
  readonly note?: string;
};

/**
 * Finds out whether what is on disk became active. Called just before the reload starts; what it returns is
 * called with Asterisk's answer.
 */
export type Prove = (kind: ReloadKind, signal: AbortSignal) => Promise<(output: string) => Promise<Verdict>>;
