import { closeSync } from 'node:fs';
import { type Stamp, stampOf } from '#core/manifest/stamp.ts';
import type { Folder } from '#host/fs/folder.ts';
import { isOpenForWriting } from '#host/fs/libc.ts';
import type { ObjectStat } from '#host/fs/listing/objectStat.ts';
import { stampOfOpen } from '#host/fs/listing/stampOfOpen.ts';

/**
 * Whether a file that is new under its name arrived complete, as by rename(2): its ctime is later than its mtime
 * (rename sets ctime) and no process has it open for writing. Such a file needs no time to settle. A file created under
 * this name has equal times until its writer sets others, which is the last thing a writer does.
 * @param known the stamp of the previous object
 * @returns false when unknown, too: no leases on this file system, or the owner is another user
 */
export function cameComplete(
  folder: Folder,
  name: string,
  stat: ObjectStat,
  known: Stamp | undefined,
): boolean {
  if (stat.ctimeNs <= stat.mtimeNs) return false;
  // The same inode as before: it is being changed in place.
  if (known?.startsWith(`${stat.dev}:${stat.ino}:`) === true) return false;
  let fd: number;
  try {
    fd = folder.openFile(name);
  } catch {
    // The error is reported when it is read.
    return false;
  }
  try {
    return isOpenForWriting(fd) === false && stampOfOpen(fd) === stampOf(stat);
  } finally {
    closeSync(fd);
  }
}
