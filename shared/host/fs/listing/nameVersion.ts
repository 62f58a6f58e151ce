import { timeText } from '#core/manifest/fileTime.ts';
import type { Stamp } from '#core/manifest/stamp.ts';
import { saysMissing } from '../errno.ts';
import { lastError } from '../libc.ts';
import type { FileVersion } from './fileVersion.ts';
import { FileVersions } from './fileVersions.ts';

const versions = new FileVersions(1);

/** See {@link Folder.version}. @param folder the open folder */
export function versionAt(folder: number, name: string): FileVersion | undefined {
  return name.isWellFormed() && versions.readNamed(0, folder, name) ? versions.at(0) : undefined;
}

/** See {@link Folder.isMissing}. @param folder the open folder */
export function isMissingAt(folder: number, path: string): boolean {
  return path.isWellFormed() && !versions.readNamed(0, folder, path) && saysMissing(lastError().code);
}

/** The stamp of a version: the same as of a `stat`, where its inode's number is exact. */
export function stampOfVersion({ device, inode, size, mtime, ctime }: FileVersion): Stamp {
  return [device, inode, size, timeText(...mtime), timeText(...ctime)].join(':');
}
