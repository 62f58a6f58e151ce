import type { Entry } from '#protocol/entry.ts';

export type { Entry, FileEntry, FolderEntry, LinkEntry } from '#protocol/entry.ts';

/** set-user-ID and set-group-ID: those of a file never travel, those of a folder do. */
export const SET_ID = 0o6000;

/** The owner and group of an entry. */
export type Ownership = Pick<Entry, 'owner' | 'group' | 'uid' | 'gid'>;

/** The same kind with the same content; metadata may differ. */
export function sameContent(a: Entry, b: Entry): boolean {
  if (a.type === 'file') return b.type === 'file' && a.hash === b.hash && a.size === b.size;
  if (a.type === 'link') return b.type === 'link' && a.target === b.target;
  return b.type === 'folder';
}

/** Same content and same mtime: the file was not touched in between. */
export function sameVersion(a: Entry, b: Entry): boolean {
  if (a.type === 'file' && b.type === 'file') return sameContent(a, b) && a.mtime === b.mtime;
  return sameContent(a, b);
}

/** Equal in all properties that travel. */
export function sameEntry(a: Entry, b: Entry): boolean {
  return sameContent(a, b) && sameMetadata(a, b);
}

/** Equal in every property, including the numbers of owner and group. */
export function identical(a: Entry, b: Entry): boolean {
  return sameEntry(a, b) && a.uid === b.uid && a.gid === b.gid;
}

function sameMetadata(a: Entry, b: Entry): boolean {
  if (a.owner !== b.owner || a.group !== b.group) return false;
  if (a.type === 'file' && b.type === 'file') return a.mode === b.mode && a.mtime === b.mtime;
  // A link's own mode means nothing on Linux. A folder's mtime changes with its content, so it does not travel.
  if (a.type === 'folder' && b.type === 'folder') return a.mode === b.mode;
  return true;
}

/** Bytes of content that a transfer of this entry sends. */
export function bytesOf(entry: Entry | undefined): number {
  return entry?.type === 'file' ? entry.size : 0;
}
