import { errnoOf } from '#host/fs/errno.ts';
import type { Folder } from '#host/fs/folder.ts';
import { remove } from '#host/fs/removeTree.ts';
import { TrashList } from './trashIndex.ts';
import type { PrivateFolder } from './privateFolder.ts';
import type { Staged, Step } from '#core/changeSet.ts';

type OpenTrash = { readonly folder: Folder | undefined } & Disposable;

/** Opens a change set's trash folder, creating it if the set displaces anything. */
export function openTrash(area: PrivateFolder, id: string, steps: readonly Step[]): OpenTrash {
  if (TrashList.isNeeded(steps)) {
    try {
      area.trash.makeFolder(id, 0o700);
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error;
    }
  }
  return openTrashIfThere(area, id);
}

/** Opens a change set's trash folder; `folder` is undefined if there is none. */
export function openTrashIfThere(area: PrivateFolder, id: string): OpenTrash {
  const folder = area.trash.stat(id) === undefined ? undefined : area.trash.open(id);
  return { folder, [Symbol.dispose]: () => folder?.close() };
}

/** A change set that displaced nothing leaves no trash behind. */
export function removeTrashIfUnused(area: PrivateFolder, id: string): void {
  {
    using trash = openTrashIfThere(area, id);
    if (trash.folder === undefined) return;
    const names = trash.folder.list();
    if (names.some((name) => name !== TrashList.fileName)) return;
    for (const name of names) trash.folder.removeFile(name);
  }
  area.trash.removeFolder(id);
}

/**
 * Removes staged objects that no change set will put in place. Objects that an interrupted set had displaced go to the
 * trash, as its list says; that works without the journal, which may be lost.
 * @param busy ids of change sets that are not finished yet
 */
export function clearStage(area: PrivateFolder, busy: ReadonlySet<string>): void {
  const ids = new Set<string>();
  for (const name of area.stage.list()) {
    const id = name.slice(0, name.lastIndexOf('.'));
    if (busy.has(id)) continue;
    ids.add(id);
    using trash = openTrashIfThere(area, id);
    const displaced = trash.folder && numberOfDisplaced(area, name, trash.folder);
    if (trash.folder !== undefined && displaced !== undefined)
      area.stage.rename(name, trash.folder, displaced, 'no-replace');
    // A staged folder can only contain objects of the same change set.
    else remove(area.stage, name);
  }
  area.trash.sync();
  for (const id of ids) removeTrashIfUnused(area, id);
}

/** Removes a staged object if the name still refers to it; any other object is displaced content. */
export function removeStaged(area: PrivateFolder, { name, inode }: Staged): void {
  if (String(area.stage.stat(name)?.ino) === inode) remove(area.stage, name);
}

/** The trash number of a displaced object in the staging area; undefined for a staged one. */
function numberOfDisplaced(area: PrivateFolder, name: string, trash: Folder): string | undefined {
  const items = Object.entries(TrashList.read(trash)?.items ?? {});
  const [number, item] = items.find(([, { staged }]) => staged?.name === name) ?? [];
  const isOurs = String(area.stage.stat(name)?.ino) === item?.staged?.inode;
  return item === undefined || isOurs ? undefined : number;
}
