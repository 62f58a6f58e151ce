import type { Entry } from '../manifest/entry.ts';
import { entryOf } from '../manifest/pathState.ts';
import type { Decision } from './decision.ts';
import type { Guard } from './policy.ts';
import { pathsBelow, type Tree } from './tree.ts';

/** How many removals a directory may suffer now without a person's word. */
export type RemovalBudget = {
  readonly guard: Guard;
  /** Files that both sides hold as agreed: what the percentage is of. */
  readonly agreedFiles: number;
  /** Files removed a moment ago by earlier passes: a flood must not pass in drops. */
  readonly removedLately: number;
  /** Why nothing may be removed at all before a person has confirmed: a side's state is not the one that was known. */
  readonly additive?: string | undefined;
  /** A mass removal is on hold here already: what is left of it waits for a person, however little it is by now. */
  readonly standing?: boolean;
  /** A person has confirmed. */
  readonly confirmed: boolean;
};

/**
 * Takes the removals out of a plan when there are suspiciously many; everything else stays. A folder that is
 * replaced by a file counts as the removal of the files in it. A file whose content stays under another name is
 * renamed, not removed, also where it lay in such a folder.
 *
 * @param trees where the content of removed files may have gone to: a removal on one side follows the other
 * @param replaced the number of files in each folder that the plan replaces, by its path
 * @returns why, and which paths wait; no reason when the plan may go ahead
 */
export function guardRemovals(
  decisions: Map<string, Decision>,
  budget: RemovalBudget,
  replaced: ReadonlyMap<string, number>,
  trees: { readonly main: Tree; readonly mds: Tree },
): { reason: string | undefined; paths: string[] } {
  if (budget.confirmed) return { reason: undefined, paths: [] };
  const removals = [...decisions].filter(([path, { kind }]) => {
    return kind === 'remove' || kind === 'remove-on-main' || (replaced.get(path) ?? 0) > 0;
  });
  if (removals.length > 0 && budget.additive !== undefined) return hold(decisions, removals, budget.additive);
  let files = budget.removedLately;
  for (const [path, decision] of removals) files += replaced.get(path) ?? filesOf(decision);
  const total = budget.agreedFiles + budget.removedLately;
  const isFine = (): boolean => files <= budget.guard.files || files * 100 <= total * budget.guard.percent;
  if (removals.length === 0 || (isFine() && !budget.standing)) return { reason: undefined, paths: [] };
  // Looking for content that only moved costs a pass over the directory: done when it matters.
  const gone = { mds: [] as Entry[], main: [] as Entry[] };
  for (const [path, decision] of removals) {
    if (decision.kind === 'remove') gone.mds.push(decision.expect);
    else if (decision.kind === 'remove-on-main') gone.main.push(decision.expect);
    else if (decision.kind === 'deliver') gone.mds.push(...entriesBelow(trees.mds, path));
    else gone.main.push(...entriesBelow(trees.main, path));
  }
  files -= countSurvivors(gone.mds, trees.main) + countSurvivors(gone.main, trees.mds);
  if (files <= budget.removedLately || (isFine() && !budget.standing))
    return { reason: undefined, paths: [] };
  const { percent, files: few } = budget.guard;
  const why = isFine()
    ? 'what is left of a removal that is on hold'
    : `more than ${percent} % and more than ${few}`;
  const reason = `${files} of ${total} files would be removed (${why})`;
  return hold(decisions, removals, reason);
}

function hold(
  decisions: Map<string, Decision>,
  removals: readonly (readonly [string, Decision])[],
  reason: string,
): { reason: string; paths: string[] } {
  for (const [path] of removals) decisions.delete(path);
  return { reason, paths: removals.map(([path]) => path) };
}

function filesOf(decision: Decision): number {
  return 'expect' in decision && decision.expect?.type === 'folder' ? 0 : 1;
}

function* entriesBelow(tree: Tree, folder: string): Iterable<Entry> {
  for (const path of pathsBelow(tree, folder)) {
    const entry = entryOf(tree.get(path));
    if (entry !== undefined) yield entry;
  }
}

/** How many of these files have their content in a tree, under whatever name; each file there stands for one. */
export function countSurvivors(gone: readonly Entry[], tree: Tree): number {
  const wanted = new Map<string, number>();
  for (const entry of gone) {
    if (entry.type === 'file') wanted.set(entry.hash, (wanted.get(entry.hash) ?? 0) + 1);
  }
  let survivors = 0;
  for (const path of tree.paths()) {
    const entry = entryOf(tree.get(path));
    const left = entry?.type === 'file' ? (wanted.get(entry.hash) ?? 0) : 0;
    if (entry?.type !== 'file' || left === 0) continue;
    wanted.set(entry.hash, left - 1);
    survivors += 1;
  }
  return survivors;
}
