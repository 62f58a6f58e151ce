import { fchmodSync, fchownSync, fstatSync } from 'node:fs';
import type { FileEntry, FolderEntry } from '#core/manifest/entry.ts';
import { setMtime } from './libc.ts';

const PERMISSIONS = 0o7777n;
const SET_GID = 0o2000;
const KEEP = -1;

/** The times that every file system holds: 32 bits of seconds. */
const EVERYWHERE = 2n ** 31n * 1_000_000_000n;

/**
 * Gives an open file or folder its mode, time, owner and group, needing no privilege but CAP_CHOWN. Only the owner may
 * change mode and time, and chmod(2) drops set-group-ID unless the group is one of ours: so it is made ours first
 * where that matters, and given away last. Group and other permissions hold meanwhile. A file's set-id bits are lost
 * by being given away (see {@link localise}); a folder's are not.
 * @throws Node's fs errors; then it may still be ours, which the next pass takes for a change of its owner
 */
export function setMetadata(fd: number, entry: FileEntry | FolderEntry): void {
  const stat = fstatSync(fd, { bigint: true });
  const ours = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
  const newMode = Number(stat.mode & PERMISSIONS) !== entry.mode;
  const newTime = entry.type === 'file' && String(stat.mtimeNs) !== entry.mtime;
  let { uid, gid } = { uid: Number(stat.uid), gid: Number(stat.gid) };
  if (newMode || newTime) {
    const needsGroup = newMode && (entry.mode & SET_GID) !== 0 && gid !== ours.gid;
    if (uid !== ours.uid || needsGroup) {
      fchownSync(fd, ours.uid, needsGroup ? ours.gid : KEEP);
      uid = ours.uid;
      if (needsGroup) gid = ours.gid;
    }
    if (newMode) fchmodSync(fd, entry.mode);
    if (newTime) setTime(fd, BigInt(entry.mtime));
  }
  if (uid !== entry.uid || gid !== entry.gid) fchownSync(fd, entry.uid, entry.gid);
}

/** A file system puts what it can't hold at the end of what it can: that would be taken for a change, for ever. */
function setTime(fd: number, mtime: bigint): void {
  setMtime(fd, mtime);
  if (mtime >= 0n && mtime < EVERYWHERE) return;
  const { mtimeNs } = fstatSync(fd, { bigint: true });
  if (mtimeNs === mtime) return;
  const seconds = mtime / 1_000_000_000n;
  throw new Error(
    `this file system can't hold the file's time (${seconds} s since 1970, at most ${mtimeNs / 1_000_000_000n} s)`,
  );
}
