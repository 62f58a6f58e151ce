import { setImmediate } from 'node:timers/promises';

/** Longest stretch of work without letting sockets and timers in, milliseconds. */
const SLICE = 8;

/** Yields to the event loop now and then during long synchronous work; check it once per item. */
export class TimeSlice {
  #since = performance.now();

  /** True when it is time to await {@link pause}; a check costs less than an await. */
  get due(): boolean {
    return performance.now() - this.#since > SLICE;
  }

  async pause(): Promise<void> {
    await setImmediate();
    this.#since = performance.now();
  }
}
