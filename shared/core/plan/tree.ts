import type { Sight } from '../manifest/pathState.ts';

/** One side's view of one directory, as the planner reads it. Overrides and nested directories are not in it. */
export interface Tree {
  /** What is at a path. Below a folder that can't be read it is `unreadable`. */
  get(path: string): Sight;
  /** Every path with a sight. */
  paths(): Iterable<string>;
  /** Direct children (full relative paths) of a folder. */
  childrenOf(folder: string): Iterable<string>;
  /** True when an override, or an excluded name that this side leaves alone, lies anywhere below the folder. */
  holdsOverride(folder: string): boolean;
  /** Why the whole directory is held on this side (missing, emptied, replaced), if it is. */
  readonly held: string | undefined;
}

/** Every path below a folder, parents before children. */
export function* pathsBelow(tree: Tree, folder: string): Iterable<string> {
  for (const child of tree.childrenOf(folder)) {
    yield child;
    yield* pathsBelow(tree, child);
  }
}
