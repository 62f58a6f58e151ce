import type { DirectoryReport } from '#protocol/messages/common.ts';
import type { Replica } from '#sync/scan/replica.ts';
import type { Counts } from '../counts.ts';
import type { MainManifest } from '../manifest/mainManifest.ts';
import type { Reconciler } from '../reconciler.ts';

/** @param figures true when the receiver accepts bytes to go */
export function reportOf(
  name: string,
  reconciler: Reconciler,
  counts: Counts,
  figures: boolean,
): DirectoryReport {
  return {
    name,
    revision: reconciler.plannedRevision,
    files: counts.files,
    bytes: counts.bytes,
    pending: reconciler.pending,
    ...(figures && { pendingBytes: reconciler.pendingBytes }),
    localOnly: counts.localFiles,
    held: reconciler.held ?? null,
    digest: counts.digest,
  };
}

/** Paths that are not synchronised with Main, and why. */
export function* skippedPaths(
  mainManifest: MainManifest,
  replica: Replica,
): Iterable<{ path: string; reason: string }> {
  for (const [path, reason] of mainManifest.refused)
    yield { path, reason: `Main lists it, but this MDS must not touch it: ${reason}` };
  for (const [path, reason] of mainManifest.special)
    yield { path, reason: `on Main it is ${reason}, which can't be synchronised` };
  for (const [path, reason] of replica.skipped) yield { path, reason };
}
