import { globSync, statSync } from 'node:fs';
import { basename, join, matchesGlob } from 'node:path';
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
 * are about to be there, elsewhere on this host's disk. A hidden file is only found by a pattern that says so.
 */
export function includeExists(world: IncludeWorld): (path: string) => boolean {
  return (path) => {
    const absolute = path.startsWith('/') ? path : join(world.configFolder, path);
    const isInside = (name: string): boolean => matchesGlob(join(world.folder, name), absolute);
    for (const name of world.files.keys()) if (isDialplan(name) && isInside(name)) return true;
    return globSync(world.root + absolute).some((found) => isPlainFile(found) && isMeant(found, absolute));
  };

  function isMeant(found: string, pattern: string): boolean {
    if (basename(found).startsWith('.') && !basename(pattern).startsWith('.')) return false;
    // In the folder itself the files to come decide, not those of now.
    return (
      !found.startsWith(`${join(world.root, world.folder)}/`) ||
      found.slice(join(world.root, world.folder).length + 1).includes('/')
    );
  }
}

function isPlainFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}
