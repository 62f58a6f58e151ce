import { errnoOf } from '#host/fs/errno.ts';
import type { OpenFolders } from '#host/fs/openFolders.ts';
import { baseOf, parentOf } from '#core/path/relative.ts';

/** True when nothing is at a path. */
export function isStillGone(open: OpenFolders, path: string): boolean {
  try {
    return open.get(parentOf(path)).stat(baseOf(path)) === undefined;
  } catch (error) {
    return isMissing(error);
  }
}

/** True when a part of the path is missing or not a folder. */
export function isMissing(error: unknown): boolean {
  const errno = errnoOf(error);
  return errno === 'ENOENT' || errno === 'ENOTDIR' || errno === 'ELOOP';
}
