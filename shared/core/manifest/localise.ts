import type { Owners } from '#host/fs/owners.ts';
import { type Entry, SET_ID } from './entry.ts';

/**
 * An entry from another host as this host would hold it: owner and group by name, by number where the name is
 * unknown here; a file without set-id bits, which no host lets travel but one of an older version.
 */
export function localise<E extends Entry>(entry: E, owners: Owners): E {
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
