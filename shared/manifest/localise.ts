import type { Owners } from '../disk/owners.ts';
import type { Entry } from './entry.ts';

/**
 * An entry from another host as this host would hold it: owner and group by name, by number where the name is
 * unknown here.
 */
export function localise(entry: Entry, owners: Owners): Entry {
  const uid = owners.userNumber(entry.owner, entry.uid);
  const gid = owners.groupNumber(entry.group, entry.gid);
  const owner = owners.userName(uid);
  const group = owners.groupName(gid);
  if (uid === entry.uid && gid === entry.gid && owner === entry.owner && group === entry.group) return entry;
  return { ...entry, uid, gid, owner, group };
}
