import { collectNow } from './exposedCollector.ts';

/** Bytes after which the young objects are collected. */
const EVERY = 4 * 2 ** 20;

let bytes = 0;

/**
 * Notes memory beside V8's heap that is garbage soon after, such as each piece that a server's connection reads. V8 counts
 * it as growth of the heap, but does not collect the young objects for it, which have all of it: it would mark the whole
 * heap every 30 MB, which takes 50 times as long. So the young ones are collected here, in about a millisecond.
 */
export function noteShortLived(length: number): void {
  bytes += length;
  if (bytes < EVERY) return;
  bytes = 0;
  collectNow({ type: 'minor', execution: 'sync' });
}
