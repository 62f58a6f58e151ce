import type { Clock } from '../time/clock.ts';

/** How long others wait for something urgent at most, milliseconds: it may itself be waiting for a slow connection. */
const PATIENCE = 250;

/**
 * Pieces of long work of one process, one after the other: one in each iteration of the event loop, so that sockets and
 * timers get in between, and none while something urgent is under way.
 */
export class Turns {
  /** For what takes its turns. */
  readonly patient: Lane = { turn: () => this.#turn(), hurry: () => undefined };
  /** For what never waits, and lets the others wait. */
  readonly urgent: Lane = { turn: () => Promise.resolve(), hurry: () => this.#hurry() };
  readonly #clock: Clock;
  readonly #waiting: (() => void)[] = [];
  readonly #hurrying = new Set<object>();
  #isDue = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  #turn(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#arm();
    });
  }

  #hurry(): Disposable {
    const hurry = {};
    const end = (): void => {
      cancel();
      if (this.#hurrying.delete(hurry)) this.#arm();
    };
    const cancel = this.#clock.after(PATIENCE, end);
    this.#hurrying.add(hurry);
    return { [Symbol.dispose]: end };
  }

  #arm(): void {
    if (this.#isDue || this.#waiting.length === 0 || this.#hurrying.size > 0) return;
    this.#isDue = true;
    setImmediate(() => {
      this.#isDue = false;
      // Something urgent may have started meanwhile.
      if (this.#hurrying.size === 0) this.#waiting.shift()?.();
      this.#arm();
    });
  }
}

/** How one kind of work gets its turns. */
export type Lane = {
  /** Resolves when a piece of work may be done, of some ten milliseconds at most. */
  readonly turn: () => Promise<void>;
  /** Until this is disposed of, at most for a moment, others wait; undefined when they need not. */
  readonly hurry: () => Disposable | undefined;
};
