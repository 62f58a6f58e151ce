import type { Folder } from '#host/fs/folder.ts';
import { FEW, makeDurable, syncFileSystem, syncFolder, syncName } from '#host/fs/fsync.ts';
import type { OpenFolders } from '#host/fs/openFolders.ts';
import { parentOf } from '#core/path/relative.ts';
import { TrashList } from './trashIndex.ts';
import type { PrivateFolder } from './privateFolder.ts';
import type { Outcome, Step } from '#core/changeSet.ts';

/**
 * Makes the prepared parts of a change set durable: content, metadata and names of staged objects, and the trash with its
 * list. After it, everything that the journal refers to survives a power cut.
 * @param trash the change set's trash folder, if it displaces anything
 * @throws EIO and similar errors; nothing of the change set may become visible then
 */
export async function makePreparedDurable(
  area: PrivateFolder,
  steps: readonly Step[],
  trash: Folder | undefined,
): Promise<void> {
  const staged = steps.flatMap((step) => ('staged' in step ? [step] : []));
  if (staged.length > FEW) return syncFileSystem(area.stage);
  // A link can't be opened and has no content besides its name.
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
 * Makes the renames and metadata of a change set durable. Stale and failed steps are included: one that was undone must
 * not reappear half done after a power cut, when the journal entry has ended.
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
    if (step.kind === 'move') folders.add(parentOf(step.from));
  }
  for (const folder of others) await syncFolder(folder);
  await makeDurable(open, folders, dressed);
}
