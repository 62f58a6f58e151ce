import { isBelow } from './relative.ts';

/**
 * A path belongs to the deepest synchronised directory that holds it: for each directory, the relative paths
 * of the directories configured inside it, which are not its content.
 *
 * @param paths absolute, normalised paths by directory name
 */
export function nestedInside(paths: ReadonlyMap<string, string>): Map<string, ReadonlySet<string>> {
  const nested = new Map<string, ReadonlySet<string>>();
  for (const [name, path] of paths) {
    const inside = new Set<string>();
    for (const other of paths.values()) {
      if (isBelow(other, path)) inside.add(other.slice(path.length + 1));
    }
    nested.set(name, inside);
  }
  return nested;
}

/** True when the path is one of the nested directories, or below one. */
export function isNested(nested: ReadonlySet<string>, path: string): boolean {
  for (const inner of nested) {
    if (path === inner || isBelow(path, inner)) return true;
  }
  return false;
}
