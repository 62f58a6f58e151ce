import { isNested } from './nesting.ts';
import { isBelow, joinPath } from './relative.ts';

/** A synchronised directory, as people name it. */
export type Named = {
  /** What a path in it may begin with: where it lies (with and without --root), and its name. The first one is where it lies. */
  readonly roots: readonly [string, ...string[]];
  /** Directories of their own within it. */
  readonly nested: ReadonlySet<string>;
};

/** The directory that holds a path as people write it: absolute (with or without --root), or `directory/path`. */
export function locatePath<D extends Named>(
  directories: readonly D[],
  written: string,
): { readonly directory: D; readonly path: string } | undefined {
  let best: { readonly directory: D; readonly path: string } | undefined;
  for (const directory of directories) {
    for (const root of directory.roots) {
      if (!isBelow(written, root)) continue;
      const path = written.slice(root.length + 1);
      if (best === undefined || path.length < best.path.length) best = { directory, path };
    }
  }
  if (best === undefined || !isNested(best.directory.nested, best.path)) return best;
  // `sounds/recordings/x` names the directory that lies inside the one that it begins with.
  return locatePath(directories, joinPath(best.directory.roots[0], best.path));
}

/** The same; a directory that is named as such is all of it, with the path ''. */
export function locateOrWhole<D extends Named>(
  directories: readonly D[],
  written: string,
): { readonly directory: D; readonly path: string } | undefined {
  const name = written.replace(/\/+$/, '');
  const found = locatePath(directories, name);
  if (found !== undefined) return found;
  const directory = directories.find(({ roots }) => roots.includes(name));
  return directory && { directory, path: '' };
}
