import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** A collection of the young objects alone, or of all as before V8 gives up for lack of memory. */
export type Collection =
  | { readonly type: 'minor'; readonly execution: 'sync' }
  | { readonly type: 'major'; readonly execution: 'sync'; readonly flavor: 'last-resort' };

let collector: ((collection: Collection) => void) | undefined;

/**
 * Has V8 collect garbage now. V8 exposes this only under a flag, which is reset at once: the compile cache is valid for one
 * set of flags only.
 */
export function collectNow(collection: Collection): void {
  collector ??= expose();
  collector(collection);
}

function expose(): (collection: Collection) => void {
  setFlagsFromString('--expose-gc');
  try {
    return runInNewContext('gc') as (collection: Collection) => void;
  } finally {
    setFlagsFromString('--no-expose-gc');
  }
}
