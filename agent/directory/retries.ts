/** First delay after a failure, and the longest, milliseconds. */
const FIRST = 500;
const LONGEST = 60_000;
/** A stale step is retried soon: only the plan was outdated. */
const STALE = 60;

export type Trouble = { readonly at: number; readonly message: string };

/** Failed paths, with the time of their next attempt and the error to report. */
export class Retries {
  readonly troubles = new Map<string, Trouble>();
  readonly #due = new Map<string, { at: number; wait: number }>();

  /** @param now monotonic milliseconds */
  isDue(path: string, now: number): boolean {
    return (this.#due.get(path)?.at ?? 0) <= now;
  }

  stale(path: string, now: number): void {
    const wait = Math.min((this.#due.get(path)?.wait ?? STALE / 2) * 2, LONGEST);
    this.#due.set(path, { at: now + wait, wait });
  }

  failed(path: string, message: string, now: number, wallNow: number): void {
    const wait = Math.min(Math.max((this.#due.get(path)?.wait ?? 0) * 2, FIRST), LONGEST);
    this.#due.set(path, { at: now + wait, wait });
    this.troubles.set(path, { at: wallNow, message });
  }

  succeeded(path: string): void {
    this.#due.delete(path);
    this.troubles.delete(path);
  }

  /** Allows an immediate retry of these paths (or all): something changed, a person asked, or the connection is new. */
  resetBackoff(paths?: Iterable<string>): void {
    if (paths === undefined) this.#due.clear();
    else for (const path of paths) this.#due.delete(path);
  }

  /** When the first of the paths that have failed and are waiting is due, monotonic milliseconds. */
  next(isWaiting: (path: string) => boolean): number | undefined {
    let next: number | undefined;
    for (const [path, { at }] of this.#due)
      if (isWaiting(path) && (next === undefined || at < next)) next = at;
    return next;
  }
}
