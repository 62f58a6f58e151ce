import type { Folder } from '#host/fs/folder.ts';
import { FEW, makeDurable, syncFileSystem, syncFolder, syncName } from '#host/fs/fsync.ts';
import type { OpenFolders } from '#host/fs/openFolders.ts';
import { parentOf } from '#core/path/relative.ts';
import { TrashList } from './trashIndex.ts';
import type { PrivateFolder } from './privateFolder.ts';
import type { Outcome, Step } from '#core/changeSet.ts';

/**
 * Makes what a change set has prepared durable: content, metadata and names of what is staged, and the trash with
 * its list, once for all of it. Whatever the journal then says, is there.
 * @param trash the change set's own, if it displaces anything
 * @throws EIO and the like: then nothing of the change set may become visible
 */
export async function makePreparedDurable(
  area: PrivateFolder,
  steps: readonly Step[],
  trash: Folder | undefined,
): Promise<void> {
  const staged = steps.flatMap((step) => ('staged' in step ? [step] : []));
  if (staged.length > FEW) return syncFileSystem(area.stage);
  // A link has no content of its own, and can't be opened: its name is all there is to it.
  const names = staged.flatMap(({ entry, staged: { name } }) => (entry.type === 'link' ? [] : [name]));
  await Promise.all([
    ...names.map((name) => syncName(area.stage, name)),
    ...(trash === undefined ? [] : [syncName(trash, TrashList.fileName)]),
  ]);
  if (staged.length > 0) await syncFolder(area.stage);
  if (trash === undefined) return;
  await syncFolder(trash);
  await syncFolder(area.trash);
}

/**
 * Makes durable what a change set did to names and metadata. Steps that came to nothing count, too: one that was
 * taken back at once must not be found half way after a power cut, when the journal does not speak of it any more.
 * @param others further folders whose names changed
 */
export async function makeOutcomesDurable(
  open: OpenFolders,
  outcomes: readonly Outcome[],
  others: readonly Folder[],
): Promise<void> {
  const folders = new Set<string>();
  const dressed = new Set<string>();
  for (const { step } of outcomes) {
    if (step.kind === 'keep') continue;
    if (step.kind === 'metadata' && step.entry.type !== 'link') dressed.add(step.path);
    else folders.add(parentOf(step.path));
  }
  for (const folder of others) await syncFolder(folder);
  await makeDurable(open, folders, dressed);
}
