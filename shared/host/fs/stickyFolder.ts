import { fchownSync, fstatSync } from 'node:fs';
import { errnoOf } from './errno.ts';

const STICKY = 0o1000n;
const KEEP = -1;

/**
 * Runs `work`, which moves or removes names in open folders. In a sticky folder that takes the owner of the file or of
 * the folder, or CAP_FOWNER; without it the folder is chowned to this process meanwhile, which takes CAP_CHOWN.
 * @throws what `work` throws; EPERM may have other causes, too (an immutable file)
 */
export function evenIfSticky<T>(folders: readonly number[], work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (errnoOf(error) !== 'EPERM') throw error;
    const owned = folders.flatMap((fd) => {
      const { mode, uid } = fstatSync(fd, { bigint: true });
      return (mode & STICKY) !== 0n && Number(uid) !== process.geteuid?.() ? [{ fd, uid: Number(uid) }] : [];
    });
    if (owned.length === 0) throw error;
    try {
      // RACE: the folder belongs to this process for the duration of one rename. Worst case: its owner gets EPERM for a
      // chmod or rename there in that moment; after a power cut in it the folder stays with this program's user.
      for (const { fd } of owned) fchownSync(fd, process.geteuid?.() ?? 0, KEEP);
      return work();
    } finally {
      for (const { fd, uid } of owned) fchownSync(fd, uid, KEEP);
    }
  }
}
