import { isNested } from './nesting.ts';
import { isBelow, joinPath } from './relative.ts';

/** A synchronised directory, with the names that people may use for it. */
export type Named = {
  /** Prefixes that a path in it may have: its location (first; with and without --root), and its name. */
  readonly roots: readonly [string, ...string[]];
  /** Nested synchronised directories. */
  readonly nested: ReadonlySet<string>;
};

/**
 * Finds the directory that holds a path written as absolute (with or without --root) or as `directory/path`.
 * @returns undefined for a directory itself, too
 */
export function locatePath<D extends Named>(
  directories: readonly D[],
  written: string,
): { readonly directory: D; readonly path: string } | undefined {
  const found = locateOrWhole(directories, written);
  return found?.path === '' ? undefined : found;
}

/** The same; the name of a directory alone gives the path '', the whole directory. */
export function locateOrWhole<D extends Named>(
  directories: readonly D[],
  written: string,
): { readonly directory: D; readonly path: string } | undefined {
  const name = written.replace(/\/+$/, '');
  let best: { readonly directory: D; readonly path: string } | undefined;
  for (const directory of directories) {
    for (const root of directory.roots) {
      if (name !== root && !isBelow(name, root)) continue;
      const path = name.slice(root.length + 1);
      if (best === undefined || path.length < best.path.length) best = { directory, path };
    }
  }
  if (best === undefined || !isNested(best.directory.nested, best.path)) return best;
  // `sounds/recordings/x` names the directory that lies inside the one that it begins with.
  const within = joinPath(best.directory.roots[0], best.path);
  // Of a directory that is not among these, nothing is known.
  return within === name ? undefined : locateOrWhole(directories, within);
}
