import type { Folder } from './folder.ts';

/** Removes what lies in a folder, without following links. @throws Node's fs errors; then part of it is gone */
export function removeAll(folder: Folder): void {
  for (const name of folder.list()) remove(folder, name);
}

/** Removes a name with all that lies below it; nothing there is fine. */
export function remove(parent: Folder, name: string): void {
  const stat = parent.stat(name);
  if (stat === undefined) return;
  if (!stat.isDirectory()) return parent.removeFile(name);
  const folder = parent.open(name);
  try {
    removeAll(folder);
  } finally {
    folder.close();
  }
  parent.removeFolder(name);
}
