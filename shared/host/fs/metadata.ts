import { fchmodSync, fchownSync } from 'node:fs';
import type { FileEntry, FolderEntry } from '#core/manifest/entry.ts';
import { setMtime } from './libc.ts';
import { openStat } from './listing/openStat.ts';

const SET_GID = 0o2000;
const KEEP = -1;
/** This process, which never becomes another user's. */
const ours = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };

/** Times that every file system can store: 32 bits of seconds. */
const EVERYWHERE = 2n ** 31n * 1_000_000_000n;

/**
 * Sets mode, mtime, owner and group of an open file or folder with no privilege but CAP_CHOWN. Only the owner may change
 * mode and mtime, and chmod(2) drops set-group-ID unless the process is in the group: so the object is first chowned to
 * this process where that matters, and to its final owner last. Group and other permissions hold meanwhile. chown(2)
 * clears a file's set-id bits (see {@link localise}), not a folder's.
 * @returns the number of its inode
 * @throws Node's fs errors; the owner may then still be this process, which the next pass treats as a changed owner
 */
export function setMetadata(fd: number, entry: FileEntry | FolderEntry): string {
  const stat = openStat(fd);
  const { inode } = stat;
  const newMode = stat.mode !== entry.mode;
  const mtime = entry.type === 'file' ? BigInt(entry.mtime) : stat.mtime;
  const newTime = mtime !== stat.mtime;
  let { uid, gid } = stat;
  if (newMode || newTime) {
    const needsGroup = newMode && (entry.mode & SET_GID) !== 0 && gid !== ours.gid;
    if (uid !== ours.uid || needsGroup) {
      fchownSync(fd, ours.uid, needsGroup ? ours.gid : KEEP);
      uid = ours.uid;
      if (needsGroup) gid = ours.gid;
    }
    if (newMode) fchmodSync(fd, entry.mode);
    if (newTime) setTime(fd, mtime);
  }
  if (uid !== entry.uid || gid !== entry.gid) fchownSync(fd, entry.uid, entry.gid);
  return inode;
}

/** Checks the stored time: a file system clamps times it can't store, which would look like a change in every pass. */
function setTime(fd: number, mtime: bigint): void {
  setMtime(fd, mtime);
  if (mtime >= 0n && mtime < EVERYWHERE) return;
  const stored = openStat(fd).mtime;
  if (stored === mtime) return;
  const seconds = mtime / 1_000_000_000n;
  throw new Error(
    `this file system can't hold the file's time (${seconds} s since 1970, at most ${stored / 1_000_000_000n} s)`,
  );
}
