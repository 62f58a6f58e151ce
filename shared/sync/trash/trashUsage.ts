import type { Steps } from '#core/steps.ts';
import type { Folder } from '#host/fs/folder.ts';
import { TrashList } from '../apply/trashIndex.ts';

/** Block size by which disk usage is counted, bytes. */
const BLOCK = 4096;

/** The MDS that caused a change set's trash, and the trash's disk usage. */
export type TrashShare = { readonly mds: string; readonly bytes: number };

/** Disk usage of an item in the trash, bytes. @param bytes its size */
export function inBlocks(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / BLOCK)) * BLOCK;
}

/** Disk usage of a change set's trash folder and list, without the items, bytes. */
export const BESIDE = 2 * BLOCK;

/** @returns undefined when no MDS caused the change set @throws Node's fs errors */
export function* shareOf(set: Folder): Steps<TrashShare | undefined> {
  const mds = TrashList.read(set)?.mds;
  return mds === undefined ? undefined : { mds, bytes: BLOCK + (yield* bytesBelow(set)) };
}

function* bytesBelow(folder: Folder): Steps<number> {
  let bytes = 0;
  for (const name of folder.list()) {
    yield;
    const stat = folder.stat(name);
    if (stat === undefined) continue;
    bytes += inBlocks(stat.isFile() ? Number(stat.size) : 0);
    if (!stat.isDirectory()) continue;
    const inner = folder.open(name);
    try {
      bytes += yield* bytesBelow(inner);
    } finally {
      inner.close();
    }
  }
  return bytes;
}
