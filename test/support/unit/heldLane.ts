import type { TestContext } from 'node:test';
import type { Lane } from '#host/process/turns.ts';

/** A lane whose turns come when the test says so. */
export class HeldLane implements Lane {
  /** How often it was started and ended to be in a hurry. */
  hurries = 0;
  ended = 0;
  readonly #waiting: (() => void)[] = [];
  #onWait: (() => void) | undefined;
  #isHeld = true;

  /** To be made before what takes turns, so that nothing waits for ever at the end of a test that fails. */
  constructor(t: TestContext) {
    t.after(() => {
      this.#isHeld = false;
      for (const resolve of this.#waiting) resolve();
    });
  }

  readonly turn = (): Promise<void> =>
    new Promise((resolve) => {
      if (!this.#isHeld) return resolve();
      this.#waiting.push(resolve);
      this.#onWait?.();
    });

  readonly hurry = (): Disposable => {
    this.hurries += 1;
    return { [Symbol.dispose]: () => (this.ended += 1) };
  };

  /** Resolves when something waits for its turn. */
  async waits(): Promise<void> {
    if (this.#waiting.length === 0) await new Promise<void>((resolve) => (this.#onWait = resolve));
  }

  /** Gives the next turn once it is waited for. */
  async give(): Promise<void> {
    await this.waits();
    this.#waiting.shift()?.();
  }
}
