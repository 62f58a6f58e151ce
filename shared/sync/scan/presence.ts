import { isMissing } from '#host/fs/errno.ts';
import type { Folder } from '#host/fs/folder.ts';
import type { FileVersion } from '#host/fs/listing/fileVersion.ts';
import { stampOfVersion } from '#host/fs/listing/nameVersion.ts';
import type { OpenFolders } from '#host/fs/openFolders.ts';
import { baseOf, parentOf } from '#core/path/relative.ts';
import type { PathIndex } from './pathIndex.ts';
import type { SettleQueue } from './settleQueue.ts';

/**
 * True when a settled file is the version of it that is known, so that there is nothing to do. Most names that are looked at
 * are such files, and this costs less than to make and compare their stamps.
 */
export function isAsKnown(index: PathIndex, handle: Folder, name: string, path: string): boolean {
  const found = handle.version(name);
  return found !== undefined && index.holds(path, found);
}

/** True when a version of a file waits to be read already: to look at it once more would change nothing. */
export function isAwaited(
  queue: Pick<SettleQueue, 'has'>,
  index: PathIndex,
  path: string,
  found: FileVersion,
): boolean {
  if (!queue.has(path)) return false;
  const node = index.get(path);
  return node?.state.kind === 'moving' && node.stamp === stampOfVersion(found);
}

/** True when nothing is at a path. */
export function isStillGone(open: OpenFolders, path: string): boolean {
  // Without an error for each, where the folder is gone, too.
  if (open.root.isMissing(path)) return true;
  try {
    return open.get(parentOf(path)).stat(baseOf(path)) === undefined;
  } catch (error) {
    return isMissing(error);
  }
}
