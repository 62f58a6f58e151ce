import { errnoOf } from '#host/fs/errno.ts';
import type { Folder } from '#host/fs/folder.ts';

/** A content from this size on is kept when its transfer breaks off, bytes. Such files travel alone. */
export const RESUMABLE = 8 * 1024 * 1024;
/** What nobody came back for is removed after this time, milliseconds. */
const KEEP = 24 * 60 * 60_000;
/** So many are kept at most in a directory: the newest. */
const KEEP_FILES = 64;

/** How much of a content an interrupted transfer left, bytes. Each lies under its SHA-256. */
export function partialBytes(partial: Folder, hash: string): number {
  return Number(partial.stat(hash)?.size ?? 0n);
}

/** The bytes of all contents that interrupted transfers left. */
export function totalPartialBytes(partial: Folder): number {
  return partial.list().reduce((sum, name) => sum + partialBytes(partial, name), 0);
}

/**
 * Removes what was left for too long, and the oldest of too many.
 * @param busy contents that are being received
 * @param now milliseconds since 1970
 */
export function trimPartial(partial: Folder, busy: ReadonlySet<string>, now: number): void {
  const aged = partial
    .list()
    .map((name) => ({ name, at: Number((partial.stat(name)?.mtimeNs ?? 0n) / 1_000_000n) }))
    .sort((a, b) => b.at - a.at);
  for (const [place, { name, at }] of aged.entries()) {
    if (busy.has(name) || (place < KEEP_FILES && now - at < KEEP)) continue;
    try {
      partial.removeFile(name);
    } catch (error) {
      // It was finished, or given up, meanwhile.
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
  }
}
