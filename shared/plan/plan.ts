import { type Entry, sameContent } from '../manifest/entry.ts';
import { entryOf } from '../manifest/state.ts';
import { isOverride, parentOf } from '../paths/relative.ts';
import { decide } from './decide.ts';
import type { Decision } from './decision.ts';
import { guardRemovals, type RemovalBudget } from './guard.ts';
import type { Policy } from './policy.ts';
import type { Tree } from './tree.ts';

export type PlanInput = {
  readonly policy: Policy;
  readonly main: Tree;
  readonly mds: Tree;
  readonly ledger: ReadonlyMap<string, Entry>;
  readonly tombstones: ReadonlyMap<string, Entry>;
  /** The MDS's clock minus Main's, nanoseconds. */
  readonly clockOffset: bigint;
  readonly budget: RemovalBudget;
  /** Only these paths; every known path when absent. */
  readonly paths?: Iterable<string>;
};

export type Plan = {
  /** What to do, by path. Paths where nothing is to be done are not in it. */
  readonly decisions: ReadonlyMap<string, Decision>;
  /** Files that are on the MDS alone (of the paths that were looked at). */
  readonly localFiles: number;
  /** Why something waits for `confirm`, if it does. */
  readonly held: string | undefined;
  /** The removals that wait. */
  readonly heldPaths: readonly string[];
};

/**
 * Decides for a directory what one MDS and Main have to do so that they agree. Pure: the same input gives the
 * same plan, and a plan that was carried out leaves an empty one.
 */
export function plan(input: PlanInput): Plan {
  const held = input.main.held ?? input.mds.held;
  if (held !== undefined) return { decisions: new Map(), localFiles: 0, held, heldPaths: [] };
  const { decisions, localFiles } = decideEach(input);
  keepWhatReplacedFoldersHold(input, decisions);
  keepFoldersThatAreNotEmpty(input, decisions);
  const guarded = guardRemovals(decisions, input.budget);
  return { decisions, localFiles, held: guarded.reason, heldPaths: guarded.paths };
}

function decideEach(input: PlanInput): { decisions: Map<string, Decision>; localFiles: number } {
  const decisions = new Map<string, Decision>();
  let localFiles = 0;
  for (const path of input.paths ?? knownPaths(input)) {
    if (isOverride(path)) continue;
    const decision = decidePath(input, path);
    if (decision.kind === 'local' && entryOf(input.mds.get(path))?.type !== 'folder') localFiles += 1;
    if (decision.kind !== 'nothing' && decision.kind !== 'local') decisions.set(path, decision);
  }
  return { decisions, localFiles };
}

/** The decision about one path, before its surroundings are taken into account. */
export function decidePath(input: Omit<PlanInput, 'paths' | 'budget'>, path: string): Decision {
  return decide(input.policy, {
    main: input.main.get(path),
    mds: input.mds.get(path),
    base: input.ledger.get(path),
    tombstone: input.tombstones.get(path),
    clockOffset: input.clockOffset,
  });
}

function knownPaths({ main, mds, ledger }: PlanInput): Set<string> {
  return new Set([...main.paths(), ...mds.paths(), ...ledger.keys()]);
}

/**
 * Main has a file (or link) where the MDS has a folder: the folder goes to the trash as a whole, so nothing
 * inside it needs a decision of its own. An override inside forbids that.
 */
function keepWhatReplacedFoldersHold(input: PlanInput, decisions: Map<string, Decision>): void {
  for (const [path, decision] of decisions) {
    const shadow = shadowingFile(input, path);
    if (shadow !== undefined) {
      decisions.delete(path);
      // What was delivered inside is gone with the folder; the ledger must not take it for removed later.
      if (input.ledger.has(path) && !input.mds.holdsOverride(shadow)) decisions.set(path, { kind: 'forget' });
      continue;
    }
    if (decision.kind === 'deliver' && decision.entry.type !== 'folder' && input.mds.holdsOverride(path)) {
      const reason = 'a folder with an override stands where Main has a file';
      decisions.set(path, { kind: 'skip', reason, failed: true });
    }
  }
}

/** The nearest ancestor that is no folder on Main while it is one on the MDS. */
function shadowingFile(input: PlanInput, path: string): string | undefined {
  for (let folder = parentOf(path); folder !== ''; folder = parentOf(folder)) {
    const main = entryOf(input.main.get(folder));
    if (main && main.type !== 'folder' && entryOf(input.mds.get(folder))?.type === 'folder') return folder;
  }
  return undefined;
}

/** A folder that Main removed stays while something inside it stays; it is local from then on. */
function keepFoldersThatAreNotEmpty(input: PlanInput, decisions: Map<string, Decision>): void {
  // Deepest first, so that a folder knows which of its own folders stay.
  const folders = [...decisions]
    .filter(([, decision]) => isFolderRemoval(decision))
    .map(([path]) => path)
    .sort((a, b) => b.length - a.length);
  for (const path of folders) {
    const decision = decisions.get(path);
    if (decision === undefined || !isFolderRemoval(decision)) continue;
    const tree = decision.kind === 'remove' ? input.mds : input.main;
    const stays =
      tree.holdsOverride(path) ||
      [...tree.childrenOf(path)].some((child) => decisions.get(child)?.kind !== decision.kind);
    if (stays) decisions.set(path, keptFolder(input, path, decision));
  }
}

function keptFolder(input: PlanInput, path: string, decision: Decision): Decision {
  if (decision.kind === 'remove-on-main') {
    return { kind: 'skip', reason: 'the folder is not empty on Main', failed: false };
  }
  const entry = entryOf(input.mds.get(path));
  if (input.policy.direction === 'both' && entry) {
    const reason = 'removed on Main, but something in it stays on the MDS';
    return { kind: 'upload', entry, expect: undefined, content: true, conflict: false, reason };
  }
  return { kind: 'forget' };
}

function isFolderRemoval(decision: Decision): decision is Decision & { kind: 'remove' | 'remove-on-main' } {
  return (decision.kind === 'remove' || decision.kind === 'remove-on-main') && decision.expect.type === 'folder';
}

/** True when carrying the decision out changes something on a disk. */
export function isChange(decision: Decision): boolean {
  return decision.kind !== 'agree' && decision.kind !== 'forget' && decision.kind !== 'skip';
}

/** True when both hold the same content, whatever the metadata. */
export function agreesInContent(a: Entry | undefined, b: Entry | undefined): boolean {
  return a !== undefined && b !== undefined && sameContent(a, b);
}
