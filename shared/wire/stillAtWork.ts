import type { Clock } from '#host/time/clock.ts';

/** Interval of progress messages, milliseconds; below the time after which the other side gives up a peer without progress. */
const SAY_EVERY = 10_000;

/** Runs long work and calls `say` now and then, so that the other side keeps waiting. @param every milliseconds */
export async function stillAtWork<T>(
  clock: Clock,
  say: () => void,
  work: () => Promise<T>,
  every = SAY_EVERY,
): Promise<T> {
  let cancel = (): void => undefined;
  const sayLater = (): void => {
    cancel = clock.after(every, () => {
      sayLater();
      say();
    });
  };
  sayLater();
  try {
    return await work();
  } finally {
    cancel();
  }
}
