import type { AgentReport } from '#protocol/messages/session.ts';
import type { MainDirectory } from '../../directories/mainDirectory.ts';
import type { DirectoryStatus } from '../contract/contract.ts';

/** True when the report proves that the MDS has everything that Main has in this directory. */
export function isInSync(directory: MainDirectory, report: AgentReport): boolean {
  return directoryStatus(directory, report).inSync;
}

/**
 * In sync is determined by comparing digests, not by reports: Main's and the MDS's content are equal, and nothing is
 * pending.
 */
export function directoryStatus(
  directory: MainDirectory,
  report: AgentReport | undefined,
  /** Paths that this MDS's version can not represent, with the reason. */
  omitted: ReadonlyMap<string, string> = new Map(),
  /** Bytes transferred since the report. */
  travelled = 0,
): DirectoryStatus {
  const { name, replica, revision } = directory;
  const kept = [...omitted].map(([path, reason]) => ({ path, reason }));
  const reported = report?.directories.find((each) => each.name === name);
  if (reported === undefined) {
    return {
      name,
      inSync: false,
      files: 0,
      bytes: 0,
      pending: 0,
      pendingBytes: null,
      localOnly: 0,
      held: replica.held ?? null,
      digest: '',
      skipped: kept,
    };
  }
  const { files, bytes, pending, localOnly, held, digest } = reported;
  const skipped = [...kept, ...(reported.skipped ?? [])];
  const inSync =
    reported.revision === revision && pending === 0 && held === null && digest === replica.digest;
  const pendingBytes =
    reported.pendingBytes === undefined ? null : Math.max(0, reported.pendingBytes - travelled);
  return { name, inSync, files, bytes, pending, pendingBytes, localOnly, held, digest, skipped };
}
