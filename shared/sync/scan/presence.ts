import { isMissing } from '#host/fs/errno.ts';
import type { Folder } from '#host/fs/folder.ts';
import { addressOf } from '#host/fs/libc.ts';
import { FileVersions } from '#host/fs/listing/fileVersions.ts';
import type { OpenFolders } from '#host/fs/openFolders.ts';
import { baseOf, parentOf } from '#core/path/relative.ts';
import type { PathIndex } from './pathIndex.ts';

/** More than any name has, with its end. */
const NAME_BYTES = 1024;
const nameBytes = Buffer.alloc(NAME_BYTES);
const nameAddress = addressOf(nameBytes);
const versions = new FileVersions(1);

/**
 * True when a settled file is the version of it that is known, so that there is nothing to do. Most names that are looked at
 * are such files, and this costs less than to make and compare their stamps.
 */
export function isAsKnown(index: PathIndex, handle: Folder, name: string, path: string): boolean {
  // Each unit of a name takes at most three bytes.
  if (name.length * 3 >= NAME_BYTES || !name.isWellFormed()) return false;
  nameBytes[nameBytes.write(name)] = 0;
  return versions.read(0, BigInt(handle.fd), nameAddress) && index.holds(path, versions.at(0));
}

/** True when nothing is at a path. */
export function isStillGone(open: OpenFolders, path: string): boolean {
  try {
    return open.get(parentOf(path)).stat(baseOf(path)) === undefined;
  } catch (error) {
    return isMissing(error);
  }
}
