import { setImmediate } from 'node:timers/promises';
import type { Steps } from '#core/steps.ts';

/** Longest stretch of work without letting sockets and timers in, milliseconds. */
const SLICE = 8;

/** Yields to the event loop now and then during long synchronous work; check it once per item. */
export class TimeSlice {
  #since = performance.now();
  readonly #signal: AbortSignal | undefined;

  /** @param signal ends the work at the next pause */
  constructor(signal?: AbortSignal) {
    this.#signal = signal;
  }

  /** True when it is time to await {@link pause}; a check costs less than an await. */
  get due(): boolean {
    return performance.now() - this.#since > SLICE;
  }

  /** @throws the reason of the signal */
  async pause(): Promise<void> {
    await setImmediate();
    this.#signal?.throwIfAborted();
    this.#since = performance.now();
  }
}

/**
 * Carries out a long computation without keeping sockets and timers waiting.
 * @throws the reason of `signal`, which ends it early; whatever a step throws
 */
export async function inSlices<T>(steps: Steps<T>, signal?: AbortSignal): Promise<T> {
  const slice = new TimeSlice(signal);
  try {
    for (;;) {
      const step = steps.next();
      if (step.done === true) return step.value;
      if (slice.due) await slice.pause();
    }
  } catch (error) {
    // What it has open is closed.
    steps.return(undefined as never);
    throw error;
  }
}
