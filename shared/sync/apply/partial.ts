import { errnoOf } from '#host/fs/errno.ts';
import type { Folder } from '#host/fs/folder.ts';

/** From this size on, the received part of an interrupted transfer is kept, bytes. Such files are sent alone. */
export const RESUMABLE = 8 * 1024 * 1024;
/** A partial file that is not resumed is removed after this time, milliseconds. */
const KEEP = 24 * 60 * 60_000;
/** Most partial files kept in a directory; the newest ones stay. */
const KEEP_FILES = 64;

/** Bytes of a content left by an interrupted transfer; the partial file is named by the SHA-256. */
export function partialBytes(partial: Folder, hash: string): number {
  return Number(partial.stat(hash)?.size ?? 0n);
}

/** Bytes of all partial files. */
export function totalPartialBytes(partial: Folder): number {
  return partial.list().reduce((sum, name) => sum + partialBytes(partial, name), 0);
}

/**
 * Removes partial files that are too old, and the oldest of too many.
 * @param busy hashes of contents that are being received
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
      // Finished or discarded in the meantime.
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
  }
}
