import type { Refusal, ReloadKind } from './result.ts';

/** How long after a refusal Asterisk is asked again, and the longest pause. Milliseconds. */
const FIRST_RETRY_MS = 2_000;
const LONGEST_RETRY_MS = 60_000;
/** Files that change together are read by one reload. Milliseconds. */
const GATHER_MS = 300;

export type Refused = { readonly refusal: Refusal; readonly since: number };

type Standing = Refused & { readonly failures: number; cancel: () => void };

/**
 * What Asterisk refused and still has to read. It is tried again, ever more rarely, and as soon as something in the
 * folder changes, since what is in the way may be a file of this host that nobody else knows.
 */
export class RefusedReloads {
  readonly #retry: (kind: ReloadKind) => void;
  readonly #after: (ms: number, callback: () => void) => () => void;
  readonly #standing = new Map<ReloadKind, Standing>();

  /** @param after calls back once after so many milliseconds; what it returns takes that back */
  constructor(retry: (kind: ReloadKind) => void, after: (ms: number, callback: () => void) => () => void) {
    this.#retry = retry;
    this.#after = after;
  }

  get(kind: ReloadKind): Refused | undefined {
    return this.#standing.get(kind);
  }

  /** A reload was refused. @returns whether that is news */
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

  /** Asterisk took what is there. */
  taken(kind: ReloadKind): void {
    this.#standing.get(kind)?.cancel();
    this.#standing.delete(kind);
  }

  /** Something in the folder changed: what was in the way may be gone. */
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

export function sameRefusal(a: Refusal, b: Refusal): boolean {
  return a.file === b.file && a.message === b.message;
}
