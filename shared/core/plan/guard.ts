import type { Entry } from '../manifest/entry.ts';
import { entryOf } from '../manifest/pathState.ts';
import { type Decision, isRemoval } from './decision.ts';
import type { Decisions } from './decisions.ts';
import type { Guard } from './policy.ts';
import { pathsBelow, type Tree } from './tree.ts';

/** What decides how many removals a directory may have now without a person's confirmation. */
export type RemovalBudget = {
  readonly guard: Guard;
  /** Number of files in the ledger that both sides hold: 100 % for the limit. */
  readonly agreedFiles: number;
  /** Files removed recently by earlier passes, so that many small passes add up. */
  readonly removedLately: number;
  /** Why nothing at all may be removed before a person confirms: one side's state does not match the known one. */
  readonly additive?: string | undefined;
  /** A mass removal is on hold already: the rest of it stays on hold, however few files are left. */
  readonly standing?: boolean;
  /** A person has confirmed. */
  readonly confirmed: boolean;
};

/**
 * Takes the removals out of a plan when there are suspiciously many; everything else stays. A folder that is
 * replaced by a file counts as the removal of the files in it. A file whose content stays under another name counts as
 * renamed, not removed, in such a folder too.
 *
 * @param trees where the content of removed files may live on under another name: the side that removed them
 * @param replaced number of files in each folder that the plan replaces, by path
 * @returns the reason and the paths on hold; no reason when the plan may go ahead
 */
export function guardRemovals(
  decisions: Decisions,
  budget: RemovalBudget,
  replaced: ReadonlyMap<string, number>,
  trees: { readonly main: Tree; readonly mds: Tree },
): { reason: string | undefined; paths: string[] } {
  if (budget.confirmed) return { reason: undefined, paths: [] };
  const removals = [...decisions.others()].filter(
    ([path, decision]) => isRemoval(decision) || (replaced.get(path) ?? 0) > 0,
  );
  if (removals.length > 0 && budget.additive !== undefined) return hold(decisions, removals, budget.additive);
  let files = budget.removedLately;
  for (const [path, decision] of removals) files += replaced.get(path) ?? filesOf(decision);
  const total = budget.agreedFiles + budget.removedLately;
  const isFine = (): boolean => files <= budget.guard.files || files * 100 <= total * budget.guard.percent;
  if (removals.length === 0 || (isFine() && !budget.standing)) return { reason: undefined, paths: [] };
  // The search for moved content costs a pass over the directory, so it is made only when the limit is exceeded.
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
  decisions: Decisions,
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

/** Number of these files whose content exists in a tree under any name; each file there is counted once. */
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
