import { fchmodSync, fchownSync, fstatSync } from 'node:fs';
import type { FileEntry, FolderEntry } from '#core/manifest/entry.ts';
import { setMtime } from './libc.ts';

const PERMISSIONS = 0o7777n;
const SET_GID = 0o2000;
const KEEP = -1;

/** Times that every file system can store: 32 bits of seconds. */
const EVERYWHERE = 2n ** 31n * 1_000_000_000n;

/**
 * Sets mode, mtime, owner and group of an open file or folder with no privilege but CAP_CHOWN. Only the owner may change
 * mode and mtime, and chmod(2) drops set-group-ID unless the process is in the group: so the object is first chowned to
 * this process where that matters, and to its final owner last. Group and other permissions hold meanwhile. chown(2)
 * clears a file's set-id bits (see {@link localise}), not a folder's.
 * @throws Node's fs errors; the owner may then still be this process, which the next pass treats as a changed owner
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

/** Checks the stored time: a file system clamps times it can't store, which would look like a change in every pass. */
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
