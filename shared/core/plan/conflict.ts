import type { FileEntry } from '../manifest/entry.ts';

/**
 * Resolves a conflict: of two versions that both changed since the sides agreed, the newer one wins on all hosts. Each
 * mtime is corrected by the offset of the clock that gave it; equal times are decided by the hash, so that every host
 * reaches the same result.
 *
 * @param clocks offsets of the MDS and of the host that Main's version came from, each minus Main's, nanoseconds
 */
export function mdsIsNewer(
  main: FileEntry,
  mds: FileEntry,
  clocks: { readonly clockOffset: bigint; readonly mainClock: bigint },
): boolean {
  const mainTime = BigInt(main.mtime) - clocks.mainClock;
  const mdsTime = BigInt(mds.mtime) - clocks.clockOffset;
  return mdsTime === mainTime ? mds.hash > main.hash : mdsTime > mainTime;
}
