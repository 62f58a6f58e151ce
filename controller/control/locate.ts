import { isNested } from '#core/path/nesting.ts';
import { isBelow, joinPath } from '#core/path/relative.ts';
import type { MainDirectory } from '../directories/mainDirectory.ts';
import type { Controller } from '../daemon/controller.ts';

export type Located = { readonly directory: MainDirectory; readonly path: string };

/** The synchronised directory that holds a path as people write it: absolute (with or without --root), or `directory/path`. */
export function locate(controller: Controller, written: string): Located | undefined {
  let best: Located | undefined;
  for (const directory of controller.directories.values()) {
    for (const root of [directory.replica.path, directory.config.path, directory.name]) {
      if (!isBelow(written, root)) continue;
      const path = written.slice(root.length + 1);
      if (best === undefined || path.length < best.path.length) best = { directory, path };
    }
  }
  if (best === undefined || !isNested(best.directory.nested, best.path)) return best;
  // `sounds/recordings/x` names the directory that lies inside the one that it begins with.
  return locate(controller, joinPath(best.directory.replica.path, best.path));
}

/** The same; a synchronised directory that is named as such is all of it, with the path ''. */
export function locateOrWhole(controller: Controller, written: string): Located | undefined {
  const name = written.replace(/\/+$/, '');
  const found = locate(controller, name);
  if (found !== undefined) return found;
  for (const directory of controller.directories.values())
    if ([directory.name, directory.config.path, directory.replica.path].includes(name))
      return { directory, path: '' };
  return undefined;
}
