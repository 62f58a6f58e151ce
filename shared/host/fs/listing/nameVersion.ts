import { timeText } from '#core/manifest/fileTime.ts';
import type { Stamp } from '#core/manifest/stamp.ts';
import { saysMissing } from '../errno.ts';
import { addressOf, lastError } from '../libc.ts';
import type { FileVersion } from './fileVersion.ts';
import { FileVersions } from './fileVersions.ts';

/** More than any name has, with its end. */
const NAME_BYTES = 1024;
const nameBytes = Buffer.alloc(NAME_BYTES);
const nameAddress = addressOf(nameBytes);
const versions = new FileVersions(1);

/** See {@link Folder.version}. @param folder the open folder */
export function versionAt(folder: number, name: string): FileVersion | undefined {
  return fits(name) && read(folder, name) ? versions.at(0) : undefined;
}

/** See {@link Folder.isMissing}. @param folder the open folder */
export function isMissingAt(folder: number, path: string): boolean {
  return fits(path) && !read(folder, path) && saysMissing(lastError().code);
}

/** Each unit of a name takes at most three bytes. */
function fits(name: string): boolean {
  return name.length * 3 < NAME_BYTES && name.isWellFormed();
}

function read(folder: number, name: string): boolean {
  nameBytes[nameBytes.write(name)] = 0;
  return versions.read(0, BigInt(folder), nameAddress);
}

/** The stamp of a version: the same as of a `stat`, where its inode's number is exact. */
export function stampOfVersion({ device, inode, size, mtime, ctime }: FileVersion): Stamp {
  return [device, inode, size, timeText(...mtime), timeText(...ctime)].join(':');
}
