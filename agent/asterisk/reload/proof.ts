import type { Refusal, ReloadKind } from './result.ts';

/**
 * Result of a proof: Asterisk's refusal, if any, and whether another reload is needed to decide. A note is information for
 * people when nothing was refused.
 */
export type Verdict = {
  readonly refusal?: Refusal | undefined;
  readonly again?: boolean;
  readonly note?: string;
};

/**
 * Finds out whether the files on disk became active. Called just before the reload starts; the function that it returns
 * is called with Asterisk's answer.
 */
export type Prove = (kind: ReloadKind, signal: AbortSignal) => Promise<(output: string) => Promise<Verdict>>;
