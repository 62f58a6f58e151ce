import type { ManifestEntry } from '#protocol/messages/common.ts';
import { bucketOf } from '#core/manifest/buckets.ts';
import type { Manifest } from '#core/manifest/manifest.ts';

/** If more than one bucket in so many differs, the whole manifest is sent. */
const WORTHWHILE = 4;

/** The part of a manifest that differs from an agent's. */
export type ManifestDifference = {
  readonly buckets: number[];
  /** The entries in these buckets, as they are when they are read. */
  entries(): Iterable<readonly [path: string, state: ManifestEntry]>;
};

/**
 * Compares Main's manifest with the one of an agent. Only contents are compared, so it does not matter when, or from which
 * Main, the agent got it.
 * @param have the digests of the agent's manifest, as it sent them
 * @returns undefined when the whole manifest should be sent
 */
export function manifestDifferenceFrom(manifest: Manifest, have: string): ManifestDifference | undefined {
  const found = manifest.differing(have);
  if (found === undefined || found.buckets.size * WORTHWHILE > found.count) return undefined;
  const { count, buckets } = found;
  return {
    buckets: [...buckets],
    *entries() {
      if (buckets.size === 0) return;
      for (const each of manifest.entries()) if (buckets.has(bucketOf(each[0], count))) yield each;
    },
  };
}
