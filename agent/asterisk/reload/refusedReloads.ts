import type { Refusal, ReloadKind } from './result.ts';

/** The first and the longest delay before a refused reload is retried. Milliseconds. */
const FIRST_RETRY_MS = 2_000;
const LONGEST_RETRY_MS = 60_000;
/** Delay after a change, so that files that change together need one reload. Milliseconds. */
const GATHER_MS = 300;

export type Refused = { readonly refusal: Refusal; readonly since: number };

type Standing = Refused & { readonly failures: number; cancel: () => void };

/**
 * Reloads that Asterisk refused. They are retried with back-off, and as soon as a file in the folder changes, since the
 * cause may be a local file of this host.
 */
export class RefusedReloads {
  readonly #retry: (kind: ReloadKind) => void;
  readonly #after: (ms: number, callback: () => void) => () => void;
  readonly #standing = new Map<ReloadKind, Standing>();

  /** @param after calls back once after so many milliseconds; the returned function cancels that */
  constructor(retry: (kind: ReloadKind) => void, after: (ms: number, callback: () => void) => () => void) {
    this.#retry = retry;
    this.#after = after;
  }

  get(kind: ReloadKind): Refused | undefined {
    return this.#standing.get(kind);
  }

  /** Notes a refusal. @returns whether it differs from the last one */
  refused(kind: ReloadKind, refusal: Refusal, now: number): boolean {
    const before = this.#standing.get(kind);
    before?.cancel();
    const isSame = before !== undefined && sameRefusal(before.refusal, refusal);
    const failures = isSame ? before.failures + 1 : 1;
    const pause = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(failures - 1, 10));
    const cancel = this.#after(pause, () => this.#retry(kind));
    this.#standing.set(kind, { refusal, since: isSame ? before.since : now, failures, cancel });
    return !isSame;
  }

  /** Notes that Asterisk accepted the files. */
  taken(kind: ReloadKind): void {
    this.#standing.get(kind)?.cancel();
    this.#standing.delete(kind);
  }

  /** Notes a change in the folder, which may have removed the cause. */
  changed(kind: ReloadKind): void {
    const standing = this.#standing.get(kind);
    if (standing === undefined) return;
    standing.cancel();
    standing.cancel = this.#after(GATHER_MS, () => this.#retry(kind));
  }

  close(): void {
    for (const { cancel } of this.#standing.values()) cancel();
    this.#standing.clear();
  }
}

/** True for the same file and message; line numbers may differ. */
export function sameRefusal(a: Refusal, b: Refusal): boolean {
  return a.file === b.file && a.message === b.message;
}
