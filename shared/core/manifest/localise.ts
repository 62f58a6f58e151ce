import { type Entry, SET_ID } from './entry.ts';

/** Users and groups of this host, by name and by number. */
export type OwnerNames = {
  /** A user's name, or the number in decimal where no name is known. */
  userName(uid: number): string;
  groupName(gid: number): string;
  /** The number of a name on this host, or `otherwise` where the name is unknown. */
  userNumber(name: string, otherwise: number): number;
  groupNumber(name: string, otherwise: number): number;
};

/**
 * Translates an entry from another host for this one: owner and group by name, or by number where the name is unknown
 * here; set-id bits of files, which only older versions send, are dropped.
 */
export function localise<E extends Entry>(entry: E, owners: OwnerNames): E {
  const uid = owners.userNumber(entry.owner, entry.uid);
  const gid = owners.groupNumber(entry.group, entry.gid);
  const owner = owners.userName(uid);
  const group = owners.groupName(gid);
  const sameOwner = uid === entry.uid && gid === entry.gid;
  const sameNames = owner === entry.owner && group === entry.group;
  const local = sameOwner && sameNames ? entry : { ...entry, uid, gid, owner, group };
  return local.type === 'file' && (local.mode & SET_ID) !== 0
    ? { ...local, mode: local.mode & ~SET_ID }
    : local;
}
