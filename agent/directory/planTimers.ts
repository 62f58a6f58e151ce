import type { Clock } from '#host/time/clock.ts';

/** Least delay of a retry, milliseconds. */
const LEAST = 10;

/** The two times at which a directory is planned again: when a failed action is due, and when a plan has asked for another. */
export class PlanTimers {
  readonly #clock: Clock;
  #cancelRetry: (() => void) | undefined;
  #cancelPlan: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `retry` when an action is due, and no earlier one. @param at monotonic milliseconds; undefined for none */
  retryAt(at: number | undefined, retry: () => void): void {
    this.#cancelRetry?.();
    this.#cancelRetry =
      at === undefined ? undefined : this.#clock.after(Math.max(LEAST, at - this.#clock.monotonic()), retry);
  }

  /** @param delay milliseconds */
  planAfter(delay: number, plan: () => void): void {
    this.#cancelPlan?.();
    this.#cancelPlan = this.#clock.after(delay, plan);
  }

  cancel(): void {
    this.#cancelRetry?.();
    this.#cancelPlan?.();
  }
}
