import type { PathState } from '../manifest/pathState.ts';

/** One side's view of one directory, as the planner reads it. Overrides and nested directories are not in it. */
export interface Tree {
  /** The state of a path; undefined when it does not exist. Below a folder that can't be read it is `unreadable`. */
  get(path: string): PathState | undefined;
  /** Every path that has a state. */
  paths(): Iterable<string>;
  /** Direct children (full relative paths) of a folder. */
  childrenOf(folder: string): Iterable<string>;
  /** True when the folder contains, at any depth, an override or an excluded name that this side ignores. */
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
