import { globSync, statSync } from 'node:fs';
import { basename, dirname, join, matchesGlob } from 'node:path';
import { isDialplan } from './lint.ts';

export type IncludeWorld = {
  /** Put before every absolute path, as everywhere in the program. */
  readonly root: string;
  /** Where Asterisk looks for an include that is not absolute: /etc/asterisk. */
  readonly configFolder: string;
  /** The dialplan folder as Asterisk names it, and the files that are about to be in it. */
  readonly folder: string;
  readonly files: ReadonlyMap<string, Buffer>;
};

/**
 * Whether an `#include` of this name or pattern would find a file: in the dialplan folder among the files that
 * are about to be there, elsewhere on this host's disk. Stars do not find hidden files.
 */
export function includeExists(world: IncludeWorld): (path: string) => boolean {
  const folderOnDisk = join(world.root, world.folder);
  return (path) => {
    const absolute = path.startsWith('/') ? path : join(world.configFolder, path);
    for (const name of world.files.keys()) {
      if (isDialplan(name) && matchesGlob(join(world.folder, name), absolute)) return true;
    }
    const wantsHidden = basename(absolute).startsWith('.');
    return globSync(join(world.root, absolute)).some(
      (found) =>
        dirname(found) !== folderOnDisk &&
        (wantsHidden || !basename(found).startsWith('.')) &&
        isPlainFile(found),
    );
  };
}

function isPlainFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}
