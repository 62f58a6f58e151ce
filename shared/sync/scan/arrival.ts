import { closeSync, fstatSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { type Stamp, stampOf } from '#core/manifest/stamp.ts';
import type { Folder } from '#host/fs/folder.ts';
import { isOpenForWriting } from '#host/fs/libc.ts';

/**
 * Whether a file that is new under its name came there complete, as by rename(2): its inode changed after its content did
 * (renaming sets ctime), and no process has it open for writing. Such a file needs no time to settle. One that was made
 * under this name has equal times until it is given others, which its maker does last.
 * @param known the stamp of what was there before
 * @returns false where it can't be told, too: no leases there, or the file is not ours
 */
export function cameComplete(
  folder: Folder,
  name: string,
  stat: BigIntStats,
  known: Stamp | undefined,
): boolean {
  if (stat.ctimeNs <= stat.mtimeNs) return false;
  // The same file as before: somebody changes it in place.
  if (known?.startsWith(`${stat.dev}:${stat.ino}:`) === true) return false;
  let fd: number;
  try {
    fd = folder.openFile(name);
  } catch {
    // Whoever reads it later says why.
    return false;
  }
  try {
    return isOpenForWriting(fd) === false && stampOf(fstatSync(fd, { bigint: true })) === stampOf(stat);
  } finally {
    closeSync(fd);
  }
}
