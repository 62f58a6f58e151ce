import type { FileEntry } from '../manifest/entry.ts';

/**
 * Of two versions that were both changed since the sides agreed, the newer wins everywhere: by mtime, the
 * MDS's corrected by its clock's offset; equal times are decided by the hash, so that every host decides alike.
 *
 * @param clockOffset the MDS's clock minus Main's, nanoseconds
 */
export function mdsIsNewer(main: FileEntry, mds: FileEntry, clockOffset: bigint): boolean {
  const mainTime = BigInt(main.mtime);
  const mdsTime = BigInt(mds.mtime) - clockOffset;
  return mdsTime === mainTime ? mds.hash > main.hash : mdsTime > mainTime;
}
