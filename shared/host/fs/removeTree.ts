import type { Folder } from './folder.ts';

/**
 * Removes a name with all that lies below it, without following links; nothing there is fine.
 * @throws Node's fs errors; then part of it is gone
 */
export function remove(parent: Folder, name: string): void {
  const stat = parent.stat(name);
  if (stat === undefined) return;
  if (!stat.isDirectory()) return parent.removeFile(name);
  const folder = parent.open(name);
  try {
    for (const inner of folder.list()) remove(folder, inner);
  } finally {
    folder.close();
  }
  parent.removeFolder(name);
}
