import type { ObjectStat } from '#host/fs/listing/objectStat.ts';
import type { Clock } from '#host/time/clock.ts';

/** Paths that are due within this many milliseconds of each other settle together. */
const TOGETHER = 5;

/** Longest time that continuing removals wait for each other, from the first one, milliseconds. */
const TOGETHER_LIMIT = 3_000;

/** Files of a first scan that are read and published together: of all, the records would take memory and a second's work. */
const PORTION = 2_000;

/** The paths that have not settled, with the time of their next check, monotonic milliseconds. */
export class SettleQueue {
  readonly #clock: Clock;
  /** How long a file must have been quiet, milliseconds. */
  readonly #settle: number;
  readonly #due = new Map<string, number>();
  /** Vanished names. They become due together, so that a slow mass removal is seen as one. */
  readonly #gone = new Set<string>();
  /** Taken at a time of those that are there. */
  #most = Infinity;
  #goneDue = 0;
  #goneSince = 0;

  constructor(clock: Clock, settle: number) {
    this.#clock = clock;
    this.#settle = settle;
  }

  /** Monotonic milliseconds. */
  get now(): number {
    return this.#clock.monotonic();
  }

  get size(): number {
    return this.#due.size + this.#gone.size;
  }

  *paths(): Iterable<string> {
    yield* this.#due.keys();
    yield* this.#gone;
  }

  has(path: string): boolean {
    return this.#due.has(path) || this.#gone.has(path);
  }

  /** @param delay milliseconds; the settle time when left out */
  wait(path: string, delay = this.#settle): void {
    this.#gone.delete(path);
    // Whole numbers, which need no object of their own.
    this.#due.set(path, Math.ceil(this.#clock.monotonic() + delay));
  }

  /** Queues a vanished name. It is due when no other name has vanished for the settle time, within a limit. */
  waitGone(path: string): void {
    const now = this.#clock.monotonic();
    if (this.#gone.size === 0) this.#goneSince = now;
    this.#due.delete(path);
    this.#gone.add(path);
    this.#goneDue = Math.min(now + this.#settle, this.#goneSince + Math.max(TOGETHER_LIMIT, this.#settle));
  }

  delete(path: string): void {
    this.#due.delete(path);
    this.#gone.delete(path);
  }

  /**
   * Until all have settled, at most {@link PORTION} are taken at a time, for a directory of which nothing was known: no save of
   * a person is divided by that. What vanished is judged together.
   */
  takeInPortions(): void {
    this.#most = PORTION;
  }

  /** All have settled. */
  caughtUp(): void {
    this.#most = Infinity;
  }

  /** Removes and returns the paths that are due now or almost due. */
  takeDue(): string[] {
    const limit = this.#clock.monotonic() + TOGETHER;
    const due: string[] = [];
    for (const [path, at] of this.#due) {
      if (due.length >= this.#most) break;
      if (at <= limit) due.push(path);
    }
    for (const path of due) this.#due.delete(path);
    if (this.#gone.size > 0 && this.#goneDue <= limit) {
      due.push(...this.#gone);
      this.#gone.clear();
    }
    return due;
  }

  /** Milliseconds until the first path is due; undefined when everything has settled. */
  get delay(): number | undefined {
    if (this.size === 0) return undefined;
    let first = this.#gone.size > 0 ? this.#goneDue : Infinity;
    for (const due of this.#due.values()) if (due < first) first = due;
    return Math.max(0, Math.ceil(first - this.#clock.monotonic()));
  }

  isAnyDueBefore(time: number): boolean {
    for (const due of this.#due.values()) if (due <= time) return true;
    return this.#gone.size > 0 && this.#goneDue <= time;
  }

  /**
   * Remaining settle time of a file, milliseconds. With a ctime in the future it is the whole settle time.
   */
  restOfSettle(stat: ObjectStat): number {
    const age = this.#clock.now() - Number(stat.ctimeNs / 1000n) / 1000;
    return age < 0 ? this.#settle : Math.max(0, this.#settle - age);
  }
}
