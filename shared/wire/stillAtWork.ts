import type { Clock } from '#host/time/clock.ts';

/** Less than the time after which the other side gives up a peer that only says that it lives, milliseconds. */
const SAY_EVERY = 10_000;

/** Carries out what takes as long as it takes, and calls `say` now and then meanwhile: the other side waits then. @param every milliseconds */
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
