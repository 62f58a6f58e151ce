import { atOnce, type Steps } from '#core/steps.ts';
import type { Folder } from './folder.ts';

/**
 * Removes a file or a folder with its content, without following links; a missing name is not an error.
 * @throws Node's fs errors; part of it may be removed then
 */
export function remove(parent: Folder, name: string): void {
  atOnce(removeSteps(parent, name));
}

/** The same, a name at a step. */
export function* removeSteps(parent: Folder, name: string): Steps<void> {
  yield;
  const stat = parent.stat(name);
  if (stat === undefined) return;
  if (!stat.isDirectory()) return parent.removeFile(name);
  const folder = parent.open(name);
  try {
    for (const inner of folder.list()) yield* removeSteps(folder, inner);
  } finally {
    folder.close();
  }
  parent.removeFolder(name);
}
