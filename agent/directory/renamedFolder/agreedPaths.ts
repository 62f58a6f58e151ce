import { entryOf } from '#core/manifest/pathState.ts';
import { joinPath } from '#core/path/relative.ts';
import type { OpenFolders } from '#host/fs/openFolders.ts';
import type { Replica } from '#sync/scan/replica.ts';
import type { Ledger } from '#sync/state/ledger.ts';

/** More would be looked at for longer than other work should wait. */
const MOST = 100_000;

/** A folder on disk, and the path under which the replica and the ledger know it. */
export type KnownFolder = { readonly at: string; readonly as: string };

/**
 * The known paths of a folder and of all that is in it, if it was all delivered by Main: nothing local, no override, and nothing
 * that this program has not seen yet.
 * @returns undefined otherwise, and when there is too much in it
 * @throws Node's fs errors when a folder can't be read
 */
export function agreedPaths(
  { at, as }: KnownFolder,
  open: OpenFolders,
  here: Pick<Replica, 'get'>,
  { entries }: Pick<Ledger, 'entries'>,
  most = MOST,
): Set<string> | undefined {
  const paths = new Set([as]);
  const folders = [as];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const name of open
      .get(at + folder.slice(as.length))
      .listing()
      .names()) {
      const path = joinPath(folder, name);
      const entry = entryOf(here.get(path));
      if (entry === undefined || !entries.has(path)) return undefined;
      if (entry.type === 'folder') folders.push(path);
      if (paths.add(path).size > most) return undefined;
    }
  }
  return paths;
}
