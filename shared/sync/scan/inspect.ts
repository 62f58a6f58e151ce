import type { Folder } from '#host/fs/folder.ts';
import type { Owners } from '#host/fs/owners.ts';
import type { ObjectStat } from '#host/fs/listing/objectStat.ts';
import {
  type FileEntry,
  type FolderEntry,
  type LinkEntry,
  type Ownership,
  SET_ID,
} from '#core/manifest/entry.ts';

import { MAX_PATH_BYTES, tooLong } from '#core/path/relative.ts';
import { formatBytes } from '#core/text/size.ts';
import { MAX_FILE_BYTES } from '#protocol/limits.ts';

const PERMISSIONS = 0o7777n;
/** Set-id bits of files do not travel: no host may receive a program that runs as another user. */
const PERMISSIONS_OF_FILE = PERMISSIONS & ~BigInt(SET_ID);

/** The result of inspecting a name without reading its content, so a file has no hash. */
export type Inspection =
  | { readonly kind: 'file'; readonly entry: Omit<FileEntry, 'hash'> }
  | { readonly kind: 'folder'; readonly entry: FolderEntry }
  | { readonly kind: 'link'; readonly entry: LinkEntry }
  | { readonly kind: 'special'; readonly what: string };

/**
 * Inspects a name in an open folder.
 * @param relativePath the path inside the directory, to recognise links that lead outside
 * @throws Node's fs errors when a link can't be read
 */
export function inspect(
  folder: Folder,
  name: string,
  relativePath: string,
  stat: ObjectStat,
  owners: Owners,
): Inspection {
  const bytes = tooLong(relativePath);
  if (bytes !== undefined)
    return {
      kind: 'special',
      what: `a path of ${bytes} bytes (more than ${MAX_PATH_BYTES} can't be opened)`,
    };
  if (stat.isFile() && stat.size > MAX_FILE_BYTES)
    return { kind: 'special', what: `a file of more than ${formatBytes(MAX_FILE_BYTES)}` };
  const ownership = ownershipOf(stat, owners);
  const mode = Number(stat.mode & (stat.isFile() ? PERMISSIONS_OF_FILE : PERMISSIONS));
  if (stat.isFile()) {
    const entry = {
      type: 'file' as const,
      size: Number(stat.size),
      mtime: String(stat.mtimeNs),
      mode,
      ...ownership,
    };
    return { kind: 'file', entry };
  }
  if (stat.isDirectory()) return { kind: 'folder', entry: { type: 'folder', mode, ...ownership } };
  if (stat.isSymbolicLink()) {
    const target = folder.readLink(name);
    if (!staysInside(relativePath, target))
      return { kind: 'special', what: `a link that leads outside (${target})` };
    return { kind: 'link', entry: { type: 'link', target, ...ownership } };
  }
  return { kind: 'special', what: kindOf(stat) };
}

/** Owner and group by name, with their numbers on this host. */
export function ownershipOf(stat: ObjectStat, owners: Owners): Ownership {
  const uid = Number(stat.uid);
  const gid = Number(stat.gid);
  return { owner: owners.userName(uid), group: owners.groupName(gid), uid, gid };
}

/**
 * True for a relative link target that stays inside the synchronised directory. `..` is accepted only at the beginning,
 * where the parents are real folders: after a name, it would start from the target of a link of that name
 * (`a -> ../..`, then `b -> a/../etc`), which the text does not show.
 */
export function staysInside(linkPath: string, target: string): boolean {
  if (target === '' || target.startsWith('/')) return false;
  const parts = target.split('/').filter((part) => part !== '.' && part !== '');
  const climbs = parts.findIndex((part) => part !== '..');
  const up = climbs === -1 ? parts.length : climbs;
  if (parts.indexOf('..', up) !== -1) return false;
  return up <= linkPath.split('/').length - 1;
}

function kindOf(stat: ObjectStat): string {
  if (stat.isFIFO()) return 'a fifo';
  if (stat.isSocket()) return 'a socket';
  return 'a device';
}

/** What lies at a name, and its size in bytes (0 for all but files). */
export type ObjectShape = { readonly type: 'file' | 'folder' | 'link' | 'other'; readonly bytes: number };

/** The shape of an object that is not read. */
export function shapeOf(stat: ObjectStat): ObjectShape {
  if (stat.isFile()) return { type: 'file', bytes: Number(stat.size) };
  const type = stat.isDirectory() ? 'folder' : stat.isSymbolicLink() ? 'link' : 'other';
  return { type, bytes: 0 };
}
