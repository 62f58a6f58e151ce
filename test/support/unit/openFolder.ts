import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { Folder } from '#host/fs/folder.ts';

/** A folder for one test, and its handle. */
export type OpenedFolder = { readonly path: string; readonly folder: Folder };

export function openFolder(t: TestContext): OpenedFolder {
  const at = mkdtempSync(path.join(os.tmpdir(), 'xds-folder-'));
  const folder = Folder.openRoot(at);
  t.after(() => {
    folder.close();
    rmSync(at, { recursive: true, force: true });
  });
  return { path: at, folder };
}
