import type { Clock } from '#host/time/clock.ts';

/** A clock that the test moves by hand. */
export class ManualClock implements Clock {
  #now = 0;
  #timers: { at: number; callback: () => void }[] = [];

  now(): number {
    // Whole, as the system's.
    return 1_700_000_000_000 + Math.floor(this.#now);
  }

  monotonic(): number {
    return this.#now;
  }

  after(milliseconds: number, callback: () => void): () => void {
    const timer = { at: this.#now + milliseconds, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Timers that have not fired. */
  get timers(): number {
    return this.#timers.length;
  }

  /** What waits on this clock, for the message of a test that fails: the beginning of each callback, and when it is due. */
  get waiting(): string[] {
    return this.#timers.map(
      ({ at, callback }) =>
        `${callback.toString().replaceAll(/\s+/g, ' ').slice(0, 80)} in ${Math.round(at - this.#now)} ms`,
    );
  }

  /** Until the next timer fires, milliseconds; undefined when there is none. */
  get nextIn(): number | undefined {
    if (this.#timers.length === 0) return undefined;
    return Math.max(0, Math.min(...this.#timers.map(({ at }) => at)) - this.#now);
  }

  /** Lets so many milliseconds pass: what falls due meanwhile fires in its order. */
  advance(milliseconds: number): void {
    const until = this.#now + milliseconds;
    for (let fired = 0; ; fired++) {
      const due = this.#timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#now = Math.max(this.#now, due.at);
      this.#timers = this.#timers.filter((other) => other !== due);
      due.callback();
      if (fired > 10_000) throw new Error(`a timer is set again and again: ${due.callback.toString()}`);
    }
    this.#now = until;
  }
}
