import { closeSync, fsync } from 'node:fs';
import { promisify } from 'node:util';
import { baseOf, parentOf } from '#core/path/relative.ts';
import { syncInShell } from '../process/syncShell.ts';
import { isMissing } from './errno.ts';
import type { Folder } from './folder.ts';
import type { OpenFolders } from './openFolders.ts';

const fsyncAsync = promisify(fsync);

/** Up to this number, inodes are synced one by one; beyond it one syncfs(2) is faster. */
export const FEW = 12;

/** Makes the names in a folder durable, without blocking this process. */
export function syncFolder(folder: Folder): Promise<void> {
  return fsyncAsync(folder.fd);
}

/** Makes the content and metadata of a file or folder durable, not its name. */
export async function syncName(folder: Folder, name: string): Promise<void> {
  const fd = folder.openFile(name);
  try {
    await fsyncAsync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Makes all of a folder's file system durable, without blocking this process. */
export async function syncFileSystem(folder: Folder): Promise<void> {
  try {
    await syncInShell(folder.fd);
  } catch (error) {
    throw whatSyncSays(error);
  }
}

/** libc's messages for the errors of syncfs(2). */
const SAID = [
  ['Input/output error', 'EIO'],
  ['No space left on device', 'ENOSPC'],
  ['Disk quota exceeded', 'EDQUOT'],
  ['Read-only file system', 'EROFS'],
] as const;

/** Finds the errno in the output of `sync`, since its exit code is the same for all errors. */
function whatSyncSays(error: unknown): Error {
  const said = error instanceof Error ? error.message : String(error);
  const code = SAID.find(([words]) => said.includes(words))?.[1];
  return Object.assign(new Error(`sync -f: ${said}`, { cause: error }), code === undefined ? {} : { code });
}

/**
 * Makes parts of a directory durable. Paths that no longer exist are skipped: their removal is durable with the folder above.
 * @param folders paths of folders whose names matter
 * @param inodes paths of files and folders whose content and metadata matter
 * @throws EIO and similar errors
 */
export async function makeDurable(
  open: OpenFolders,
  folders: ReadonlySet<string>,
  inodes: ReadonlySet<string>,
): Promise<void> {
  if (folders.size + inodes.size > FEW) return syncFileSystem(open.root);
  // One after the other: a handle is valid only until the next folder is opened.
  for (const path of inodes) await unlessGone(async () => syncName(open.get(parentOf(path)), baseOf(path)));
  for (const path of folders) await unlessGone(async () => syncFolder(open.get(path)));
}

async function unlessGone(sync: () => Promise<void>): Promise<void> {
  try {
    await sync();
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}
