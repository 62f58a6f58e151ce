import type { Folder } from '#host/fs/folder.ts';
import { TrashList } from '../apply/trashIndex.ts';

/** What a file or folder takes at least on disk, and what its size is rounded up to, bytes. */
const BLOCK = 4096;

/** Who displaced what lies in one change set's trash, and how much of a disk that takes. */
export type TrashShare = { readonly mds: string; readonly bytes: number };

/** What something takes in the trash, bytes. @param bytes its size */
export function inBlocks(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / BLOCK)) * BLOCK;
}

/** What a change set's trash takes beside what it displaced: its folder and its list, bytes. */
export const BESIDE = 2 * BLOCK;

/** @returns undefined when it was no MDS that had it displaced @throws Node's fs errors */
export function shareOf(set: Folder): TrashShare | undefined {
  const mds = TrashList.read(set)?.mds;
  return mds === undefined ? undefined : { mds, bytes: BLOCK + bytesBelow(set) };
}

function bytesBelow(folder: Folder): number {
  let bytes = 0;
  for (const name of folder.list()) {
    const stat = folder.stat(name);
    if (stat === undefined) continue;
    bytes += inBlocks(stat.isFile() ? Number(stat.size) : 0);
    if (!stat.isDirectory()) continue;
    const inner = folder.open(name);
    try {
      bytes += bytesBelow(inner);
    } finally {
      inner.close();
    }
  }
  return bytes;
}
