import { setTimeout } from 'node:timers/promises';
import type { FileEntry } from '#core/manifest/entry.ts';
import { collectNow } from '#host/memory/exposedCollector.ts';
import { fileEntry } from './applyPlace.ts';

/** Longest wait for V8 to say that an object is gone, milliseconds. */
const LIMIT = 10_000;

/** So many that it shows whether they are kept, whatever else is discarded meanwhile. */
export const MANY = 5_000;

/** Files of which no other test has one. */
export function manyFiles(): FileEntry[] {
  const one = fileEntry('one of many');
  return Array.from({ length: MANY }, (_, i) => ({ ...one, mtime: String(i) }));
}

/** Collects garbage until what that leads to has happened, which V8 does in tasks of its own. @returns false when it has not */
export async function collectedUntil(happened: () => boolean): Promise<boolean> {
  for (const until = performance.now() + LIMIT; performance.now() < until;) {
    collectNow({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    await setTimeout(5);
    if (happened()) return true;
  }
  return false;
}
