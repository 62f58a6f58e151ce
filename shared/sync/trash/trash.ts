import { closeSync, fstatSync, readSync } from 'node:fs';
import { PrivateFolder } from '../apply/privateFolder.ts';
import type { Applier } from '../apply/applier.ts';
import type { OnCommit } from '../apply/applierOptions.ts';
import type { Staging } from '../apply/staging.ts';
import { type Outcome, type Step, stampToReplace } from '#core/changeSet.ts';
import { errnoOf } from '#host/fs/errno.ts';
import { Folder } from '#host/fs/folder.ts';
import { OpenFolders } from '#host/fs/openFolders.ts';
import type { Owners } from '#host/fs/owners.ts';
import type { Steps } from '#core/steps.ts';
import { withRemedy } from '#host/fs/remedy.ts';
import type { Entry, FolderEntry } from '#core/manifest/entry.ts';
import { stampOf } from '#core/manifest/stamp.ts';
import { RESERVED_NAME } from '#core/path/names.ts';
import { parentOf } from '#core/path/relative.ts';
import { hashFile } from '../scan/content/hashFile.ts';
import { inspect, type ObjectShape, ownershipOf, shapeOf } from '../scan/inspect.ts';
import type { Replica } from '../scan/replica.ts';
import { createHash } from 'node:crypto';
import { TimeSlice } from '#host/time/timeSlice.ts';
import { TrashList } from '../apply/trashIndex.ts';
import { shareOf, type TrashShare } from './trashUsage.ts';

const CHUNK = 1024 * 1024;

/** An item of the trash, which can be restored. */
export type TrashItem = ObjectShape & {
  /** Identifies it: the id of the change set that displaced it, and its number there. */
  readonly id: string;
  readonly directory: string;
  readonly path: string;
  /** When it was displaced, milliseconds since 1970. */
  readonly at: number;
  readonly reason: string;
};

/** The change set of an item of the trash, and the item's number there. */
export function placeInTrash(id: string): { readonly changeSet: string; readonly number: string } {
  const [changeSet = '', number = ''] = id.split('/');
  return { changeSet, number };
}

/** The items in a directory's trash, newest first, and messages about folders that can't be listed. */
export type ListedTrash = { readonly items: TrashItem[]; readonly problems: string[] };

/** Lists a directory's trash. A problem with one folder is reported and does not hide the others. */
export function* listTrash(directory: string, root: string): Steps<ListedTrash> {
  const items: TrashItem[] = [];
  const problems: string[] = [];
  const place = `${root}/${RESERVED_NAME}/trash`;
  try {
    yield* inTrash(root, function* (trash) {
      for (const set of trash.list().toSorted().toReversed()) {
        try {
          yield* inSet(trash, set, (folder) => itemsOf(directory, set, folder, items));
        } catch (error) {
          problems.push(whyNotListed(`${place}/${set}`, error));
        }
      }
    });
  } catch (error) {
    problems.push(whyNotListed(place, error));
  }
  return { items, problems };
}

function whyNotListed(path: string, error: unknown): string {
  const errno = errnoOf(error);
  // A link is ENOTDIR or ELOOP.
  if (errno === 'ENOTDIR' || errno === 'ELOOP')
    return `${path} is not a folder, so this program did not create it: check it, and move it away`;
  return `${path} can't be listed (${withRemedy(errno)})`;
}

/**
 * The trash that each MDS's change sets take up in a directory, by change set.
 * @param onUnreadable called with a change set whose trash can't be read
 * @throws Node's fs errors when the directory can't be opened
 */
export function* sharesInTrash(
  root: string,
  onUnreadable: (set: string, error: unknown) => void,
): Steps<Map<string, TrashShare>> {
  const shares = new Map<string, TrashShare>();
  yield* inTrash(root, function* (trash) {
    for (const set of trash.list()) {
      try {
        const share = yield* inSet(trash, set, shareOf);
        if (share !== undefined) shares.set(set, share);
      } catch (error) {
        onUnreadable(set, error);
      }
    }
  });
  return shares;
}

/**
 * Restores a copy of an item at its own path or another one. The object there now goes to the trash.
 * @throws when there is no such item, it is a folder or a special object, or the directory is being closed; and what
 *   {@link Staging.commit} throws
 */
export async function restoreFromTrash(
  item: TrashItem,
  to: string,
  place: { applier: Applier; replica: Replica; owners: Owners; record: OnCommit },
): Promise<readonly Outcome[]> {
  const { applier, replica, owners } = place;
  using staging = applier.begin(item.bytes);
  const { changeSet: set, number } = placeInTrash(item.id);
  const step = await withTrashAsync(replica.path, async (trash): Promise<Step> => {
    const folder = trash.open(set);
    try {
      const stat = folder.stat(number);
      if (stat === undefined) throw new Error(`${item.id} is not in the trash any more`);
      const seen = inspect(folder, number, to, stat, owners);
      if (seen.kind === 'special') throw new Error(`${item.path} is ${seen.what}: it can't be restored`);
      if (seen.kind === 'folder') throw new Error(`${item.path} is a folder: restore its files one by one`);
      const expect = stampToReplace(replica, to);
      const reason = `restored from the trash (${item.id})`;
      if (seen.kind === 'link') {
        return { kind: 'put', path: to, entry: seen.entry, expect, staged: staging.bare(seen.entry), reason };
      }
      const file = staging.file();
      const hash = await copyInto(folder, number, (chunk) => {
        staging.throwIfEnding();
        file.write(chunk);
      });
      const entry: Entry = { ...seen.entry, hash };
      const staged = file.finish(entry);
      if (staged === undefined) throw new Error(`${item.id} changed while it was read: try again`);
      return { kind: 'put', path: to, entry, expect, staged, reason };
    } finally {
      folder.close();
    }
  });
  const { outcomes } = await staging.commit(
    [...missingFolders(to, replica, owners, staging), step],
    place.record,
  );
  return outcomes;
}

/**
 * The SHA-256 of a file in the trash; undefined when it is not there any more.
 * @param signal ends the reading
 * @throws Node's fs errors; the reason of the signal
 */
export function hashInTrash(root: string, id: string, signal: AbortSignal): Promise<string | undefined> {
  const { changeSet, number } = placeInTrash(id);
  return withTrashAsync(root, async (trash) => {
    const folder = trash.open(changeSet);
    try {
      const stat = folder.stat(number);
      return stat && (await hashFile(folder, number, stampOf(stat), { signal }));
    } finally {
      folder.close();
    }
  });
}

/** The missing parent folders of a path, each with the metadata of its own parent. */
function missingFolders(path: string, replica: Replica, owners: Owners, staging: Staging): Step[] {
  const missing: string[] = [];
  let above = parentOf(path);
  for (; above !== '' && replica.get(above) === undefined; above = parentOf(above)) missing.push(above);
  if (missing.length === 0) return [];
  using open = new OpenFolders(replica.path);
  const stat = fstatSync(open.get(above).fd, { bigint: true });
  const mode = Number(stat.mode & 0o7777n);
  const entry: FolderEntry = { type: 'folder', mode, ...ownershipOf(stat, owners) };
  return missing.toReversed().map((folder) => ({
    kind: 'put',
    path: folder,
    entry,
    expect: undefined,
    staged: staging.bare(entry),
    reason: 'holds what is restored from the trash',
  }));
}

async function copyInto(folder: Folder, name: string, write: (chunk: Uint8Array) => void): Promise<string> {
  const fd = folder.openFile(name);
  const timeSlice = new TimeSlice();
  const hash = createHash('sha256');
  try {
    const buffer = Buffer.allocUnsafe(CHUNK);
    for (let length = readSync(fd, buffer); length > 0; length = readSync(fd, buffer)) {
      write(buffer.subarray(0, length));
      hash.update(buffer.subarray(0, length));
      if (timeSlice.due) await timeSlice.pause();
    }
    return hash.digest('hex');
  } finally {
    closeSync(fd);
  }
}

function* itemsOf(directory: string, set: string, folder: Folder, items: TrashItem[]): Steps<void> {
  const list = TrashList.read(folder);
  for (const number of folder.list()) {
    yield;
    const stat = number === TrashList.fileName ? undefined : folder.stat(number);
    if (stat === undefined) continue;
    const { path, reason } = list?.items[number] ?? { path: number, reason: 'unknown' };
    const at = list?.at ?? Number(stat.ctimeNs / 1_000_000n);
    items.push({ id: `${set}/${number}`, directory, path, at, reason, ...shapeOf(stat) });
  }
}

function* inSet<T>(trash: Folder, set: string, work: (folder: Folder) => Steps<T>): Steps<T> {
  yield;
  const folder = trash.open(set);
  try {
    return yield* work(folder);
  } finally {
    folder.close();
  }
}

/** Work with the open trash of a directory. @throws Node's fs errors when it can't be opened */
export function* inTrash(root: string, work: (trash: Folder) => Steps<void>): Steps<void> {
  const directory = Folder.openRoot(root);
  try {
    using area = new PrivateFolder(directory);
    yield* work(area.trash);
  } finally {
    directory.close();
  }
}

async function withTrashAsync<T>(root: string, work: (trash: Folder) => Promise<T>): Promise<T> {
  const directory = Folder.openRoot(root);
  try {
    using area = new PrivateFolder(directory);
    return await work(area.trash);
  } finally {
    directory.close();
  }
}
