import {
  constants,
  PerformanceObserver,
  type PerformanceEntry,
  type PerformanceNodeEntry,
} from 'node:perf_hooks';
import { getHeapStatistics, setFlagsFromString } from 'node:v8';

/** Up to this size the heap grows as it likes, bytes. */
const FREELY = 64 * 2 ** 20;
/** Then by this share of what is in use. */
const STEP_PERCENT = 25;
const MOST_PERCENT = 600;
/** By this much more may be in use after a large collection than after the last one, times. */
const LIKELY_GROWTH = 1.25;

/**
 * By how much the heap may grow after the next large collection, percent of what is in use then. Pure.
 *
 * A quarter at a time halves the memory in a first pass of many files, for no more CPU. A small heap may grow more: buffers
 * of the network, which are soon free again, count as growth, so 200 MiB of a recording would have it collected 30 times.
 *
 * @param used bytes of objects now, garbage included, so that it is most just before a collection
 * @param kept bytes that were in use after the last large collection; undefined before the first
 */
export function growthPercent(used: number, kept: number | undefined): number {
  const expected = kept === undefined ? used : Math.min(used, kept * LIKELY_GROWTH);
  const toFree = Math.round(((FREELY - expected) / expected) * 100);
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
  let kept: number | undefined;
  const adjust = (collections: readonly PerformanceEntry[]): void => {
    const used = getHeapStatistics().used_heap_size;
    if (collections.some(isLarge)) kept = used;
    const next = growthPercent(used, kept);
    if (next === percent) return;
    percent = next;
    setFlagsFromString(`--heap-growing-percent=${percent}`);
  };
  adjust([]);
  // V8 takes the number at the end of a large collection; between two of them there are many small ones.
  new PerformanceObserver((seen) => adjust(seen.getEntries())).observe({ entryTypes: ['gc'] });
}

function isLarge(entry: PerformanceEntry): boolean {
  const detail = (entry as PerformanceNodeEntry).detail as { readonly kind?: number };
  return detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR;
}
