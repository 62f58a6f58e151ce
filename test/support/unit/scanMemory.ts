import type { ScanIndex } from '#sync/state/scanIndex.ts';

/** What was scanned, for as long as the test lasts: a directory is known again by its identity, its files are not. */
export function scanMemory(): ScanIndex {
  let identity: string | undefined;
  return {
    load: () => [],
    save: () => undefined,
    rootIdentity: () => identity,
    setRootIdentity: (now) => (identity = now),
  };
}
