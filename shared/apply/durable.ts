import { execFile } from 'node:child_process';
import { closeSync, fsync } from 'node:fs';
import { promisify } from 'node:util';
import type { Folder } from '../disk/folder.ts';

const fsyncAsync = promisify(fsync);
const run = promisify(execFile);

/** Up to so many names are made durable one by one; beyond that one syncfs(2) for all is quicker. */
const FEW = 12;

/**
 * Makes the content of staged files durable, once for a whole change set.
 * @throws EIO and the like: then nothing of the change set may become visible
 */
export async function makeDurable(stage: Folder, names: readonly string[]): Promise<void> {
  if (names.length > FEW) return syncFileSystem(stage);
  await Promise.all(
    names.map(async (name) => {
      const fd = stage.openFile(name);
      try {
        await fsyncAsync(fd);
      } finally {
        closeSync(fd);
      }
    }),
  );
  if (names.length > 0) await fsyncAsync(stage.fd);
}

/** Makes names in folders durable. */
export async function makeFoldersDurable(folders: readonly Folder[], anyOfThem: Folder): Promise<void> {
  if (folders.length > FEW) return syncFileSystem(anyOfThem);
  await Promise.all(folders.map((folder) => fsyncAsync(folder.fd)));
}

/** Node has no syncfs(2), and calling it in this process would block it: `sync -f` is the same, in another one. */
async function syncFileSystem(folder: Folder): Promise<void> {
  await run('sync', ['-f', `/proc/${process.pid}/fd/${folder.fd}`]);
}
