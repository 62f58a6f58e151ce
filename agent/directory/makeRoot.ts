import { mkdirSync } from 'node:fs';
import type { FolderEntry } from '#protocol/entry.ts';
import { localise } from '#core/manifest/localise.ts';
import { Folder } from '#host/fs/folder.ts';
import { setMetadata } from '#host/fs/metadata.ts';
import type { DirectoryPlace } from '#sync/directory/directoryPlace.ts';

/** A new MDS may lack the directory: it is made as Main has it. A failure is logged. */
export function makeRoot({ path, owners, log }: DirectoryPlace, onMain: FolderEntry | undefined): void {
  try {
    mkdirSync(path, { recursive: true });
    if (onMain === undefined) return;
    const folder = Folder.openRoot(path);
    try {
      setMetadata(folder.fd, localise(onMain, owners));
    } finally {
      folder.close();
    }
  } catch (error) {
    log.error('directory could not be made', { path, error });
  }
}
