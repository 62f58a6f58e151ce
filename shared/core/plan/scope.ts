import { entryOf } from '../manifest/pathState.ts';
import { parentOf } from '../path/relative.ts';
import type { PlanInput } from './planInput.ts';
import { pathsBelow, type Tree } from './tree.ts';

/**
 * The paths that a plan has to cover: all known paths or, when only some are asked for, these with their parent folders,
 * and the content of a folder that only one side still has as a folder: whether that folder can be removed depends on
 * everything in it.
 */
export function scopeOf({ paths, main, mds, ledger, tombstones }: PlanInput): Set<string> {
  if (paths === undefined) return allPaths(main, mds, ledger);
  const scope = new Set<string>();
  for (const path of paths) {
    for (let at = path; at !== '' && !scope.has(at); at = parentOf(at)) scope.add(at);
  }
  const contested = [...scope].filter((path) => {
    if (isFolder(main, path) === isFolder(mds, path)) return false;
    const isNew = main.get(path) === undefined || mds.get(path) === undefined;
    return !isNew || ledger.has(path) || tombstones.has(path);
  });
  for (const folder of outermost(contested)) {
    // Only one side has it as a folder. The other side is not searched for children, which may be costly.
    for (const path of pathsBelow(isFolder(main, folder) ? main : mds, folder)) scope.add(path);
  }
  return scope;
}

/** Added one after the other: an array of all would be three times as long. */
function allPaths(main: Tree, mds: Tree, ledger: PlanInput['ledger']): Set<string> {
  const all = new Set(main.paths());
  for (const path of mds.paths()) all.add(path);
  for (const path of ledger.keys()) all.add(path);
  return all;
}

function isFolder(tree: Tree, path: string): boolean {
  return entryOf(tree.get(path))?.type === 'folder';
}

function outermost(folders: readonly string[]): string[] {
  const all = new Set(folders);
  return folders.filter((folder) => {
    for (let at = parentOf(folder); at !== ''; at = parentOf(at)) if (all.has(at)) return false;
    return true;
  });
}
