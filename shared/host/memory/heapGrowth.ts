import { PerformanceObserver } from 'node:perf_hooks';
import { getHeapStatistics, setFlagsFromString } from 'node:v8';

/** Up to this size the heap grows as it likes, bytes. */
const FREELY = 48 * 2 ** 20;
/** Then by this share of what is in use. */
const STEP_PERCENT = 25;
const MOST_PERCENT = 600;

/**
 * By how much the heap may grow until the next collection, percent of what is in use. Pure.
 *
 * A quarter at a time halves the memory in a first pass of many files, for no more CPU. A small heap may grow more: buffers
 * of the network, which are soon free again, count as growth, so 200 MiB of a recording would have it collected 30 times.
 */
export function growthPercent(used: number): number {
  const toFree = Math.round(((FREELY - used) / used) * 100);
  return Math.min(MOST_PERCENT, Math.max(STEP_PERCENT, toFree));
}

/**
 * Has the heap grow so from now on. For a daemon, once its code is loaded.
 *
 * Not on the command line: V8 refuses cached code under other flags than it was made with, so Node would compile its own
 * modules again at each start, which is a fifth of a command's time.
 */
export function growHeapInSmallSteps(): void {
  let percent = 0;
  const adjust = (): void => {
    const next = growthPercent(getHeapStatistics().used_heap_size);
    if (next === percent) return;
    percent = next;
    setFlagsFromString(`--heap-growing-percent=${percent}`);
  };
  adjust();
  // V8 takes the number at the end of a large collection; between two of them there are many small ones.
  new PerformanceObserver(adjust).observe({ entryTypes: ['gc'] });
}
