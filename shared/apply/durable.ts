import { execFile } from 'node:child_process';
import { closeSync, fsync } from 'node:fs';
import { promisify } from 'node:util';
import { errnoOf } from '../disk/errno.ts';
import type { Folder } from '../disk/folder.ts';
import type { OpenFolders } from '../disk/openFolders.ts';
import { baseOf, parentOf } from '../paths/relative.ts';
import { TrashList } from '../trash/trashList.ts';
import type { Area } from './area.ts';
import type { Outcome, Step } from './changeSet.ts';

const fsyncAsync = promisify(fsync);
const run = promisify(execFile);

/** Up to so many names are made durable one by one; beyond that one syncfs(2) for all is quicker. */
const FEW = 12;

/**
 * Makes durable what a change set has prepared: content, metadata and names of what is staged, and the trash with
 * its list, once for all of it. Whatever the journal then says, is there.
 * @param trash the change set's own, if it displaces anything
 * @throws EIO and the like: then nothing of the change set may become visible
 */
export async function makePreparedDurable(
  area: Area,
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
  if (staged.length > 0) await fsyncAsync(area.stage.fd);
  if (trash === undefined) return;
  await fsyncAsync(trash.fd);
  await fsyncAsync(area.trash.fd);
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
  if (folders.size + dressed.size + others.length > FEW) return syncFileSystem(open.root);
  for (const folder of others) await fsyncAsync(folder.fd);
  // One after the other: a handle is only good until the next folder is opened.
  for (const path of folders) await unlessGone(async () => fsyncAsync(open.get(path).fd));
  for (const path of dressed) await unlessGone(async () => syncName(open.get(parentOf(path)), baseOf(path)));
}

async function syncName(folder: Folder, name: string): Promise<void> {
  const fd = folder.openFile(name);
  try {
    await fsyncAsync(fd);
  } finally {
    closeSync(fd);
  }
}

/** What a later step or somebody else has removed needs no durability of its own: the folder above tells. */
async function unlessGone(sync: () => Promise<void>): Promise<void> {
  try {
    await sync();
  } catch (error) {
    const errno = errnoOf(error);
    if (errno !== 'ENOENT' && errno !== 'ENOTDIR' && errno !== 'ELOOP') throw error;
  }
}

/** Node has no syncfs(2), and calling it in this process would block it: `sync -f` is the same, in another one. */
async function syncFileSystem(folder: Folder): Promise<void> {
  await run('sync', ['-f', `/proc/${process.pid}/fd/${folder.fd}`]);
}
