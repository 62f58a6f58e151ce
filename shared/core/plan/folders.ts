import { sameContent } from '../manifest/entry.ts';
import { entryOf } from '../manifest/pathState.ts';
import { parentOf } from '../path/relative.ts';
import type { Decision } from './decision.ts';
import type { PlanInput } from './planInput.ts';
import { pathsBelow, type Tree } from './tree.ts';

type Decisions = Map<string, Decision>;
type FolderRemoval = Decision & { kind: 'remove' | 'remove-on-main' };

/**
 * Each path was decided on its own; here a folder and what lies in it are made to fit.
 * @returns how many files (and links) go to the trash inside folders that a file or link replaces, by that path
 */
export function fitFolders(input: PlanInput, decisions: Decisions): Map<string, number> {
  const replaced = new Map<string, number>();
  for (const path of replacedOnMds(input, decisions)) replaced.set(path, filesBelow(input.mds, path));
  leaveToTheirFolder(decisions, replaced);
  keepFoldersThatAreNotEmpty(input, decisions);
  const onMain = replacedOnMain(input, decisions);
  for (const path of onMain) replaced.set(path, filesBelow(input.main, path));
  leaveToTheirFolder(decisions, onMain);
  waitForFolders(input, decisions);
  return replaced;
}

/** Main has a file (or link) where the MDS has a folder: the folder goes to the trash as a whole. */
function replacedOnMds({ mds }: PlanInput, decisions: Decisions): string[] {
  const replaced: string[] = [];
  for (const [path, decision] of decisions) {
    if (decision.kind !== 'deliver' || decision.entry.type === 'folder' || decision.expect?.type !== 'folder')
      continue;
    if (mds.holdsOverride(path)) {
      decisions.set(path, skip('a folder with an override stands where Main has a file', true));
    } else if (holdsUnsettled(mds, path)) {
      decisions.set(
        path,
        skip('something in the folder that stands there is still being written, or unreadable'),
      );
    } else replaced.push(path);
  }
  return replaced;
}

/**
 * The MDS has a file (or link) where Main has a folder: it wins when the MDS's removals empty that folder, else
 * the folder comes back.
 */
function replacedOnMain({ main, mds }: PlanInput, decisions: Decisions): Set<string> {
  const replaced = new Set<string>();
  for (const [path, decision] of decisions) {
    if (decision.kind !== 'upload' || decision.entry.type === 'folder' || decision.expect?.type !== 'folder')
      continue;
    const children = [...main.childrenOf(path)];
    const emptied = children.every((child) => decisions.get(child)?.kind === 'remove-on-main');
    if (emptied && !main.holdsOverride(path)) replaced.add(path);
    else if (staysOnMain(main, path, decisions)) {
      decisions.set(path, comesBack(decision.expect, entryOf(mds.get(path))));
    } else decisions.set(path, skip('what Main has in the folder of that name has to wait'));
  }
  return replaced;
}

/** What lies in a folder that is replaced goes with it: whoever carries that out makes the ledger forget it, too. */
function leaveToTheirFolder(
  decisions: Decisions,
  replaced: { has(path: string): boolean; readonly size: number },
): void {
  if (replaced.size === 0) return;
  for (const path of decisions.keys()) {
    let folder = parentOf(path);
    while (folder !== '' && !replaced.has(folder)) folder = parentOf(folder);
    if (folder !== '') decisions.delete(path);
  }
}

/** A folder that one side removed stays while something inside it stays. */
function keepFoldersThatAreNotEmpty(input: PlanInput, decisions: Decisions): void {
  // Deepest first, so that a folder knows which of its own folders stay.
  const folders = [...decisions]
    .filter(([, decision]) => isFolderRemoval(decision))
    .map(([path]) => path)
    .sort((a, b) => b.length - a.length);
  for (const path of folders) {
    const removal = decisions.get(path);
    if (removal === undefined || !isFolderRemoval(removal)) continue;
    const tree = removal.kind === 'remove' ? input.mds : input.main;
    const kinds = [...tree.childrenOf(path)].map((child) => decisions.get(child)?.kind);
    if (kinds.every((kind) => kind === removal.kind) && !tree.holdsOverride(path)) continue;
    const kept =
      removal.kind === 'remove'
        ? keptOnMds(input, path, removal, kinds)
        : keptOnMain(staysOnMain(tree, path, decisions), removal);
    if (kept) decisions.set(path, kept);
    else decisions.delete(path);
  }
}

function keptOnMds(
  { policy, mds, ledger, tombstones }: PlanInput,
  path: string,
  { expect }: FolderRemoval,
  inside: readonly (Decision['kind'] | undefined)[],
): Decision | undefined {
  if (inside.includes('upload')) {
    const reason = 'removed on Main, but something in it stays on the MDS';
    return { kind: 'upload', entry: expect, expect: undefined, content: true, conflict: false, reason };
  }
  if (inside.includes('skip')) return skip('removed on Main, but something in it has to wait');
  // What it holds is local, so it is local from then on.
  if (policy.direction === 'to-mds') return ledger.has(path) ? { kind: 'forget' } : undefined;
  // Both ways nothing is local but overrides, and a folder that is forgotten would go to Main as a new one, did Main's
  // tombstone not tell that it is the old one. As long as something in it is to go, the ledger has to know it.
  const tombstone = tombstones.get(path);
  const isOld = tombstone !== undefined && sameContent(tombstone, expect);
  const isEmptied = !inside.includes('remove') && mds.holdsOverride(path);
  return isOld && isEmptied && ledger.has(path) ? { kind: 'forget' } : undefined;
}

function keptOnMain(stays: boolean, { expect }: FolderRemoval): Decision {
  return stays
    ? comesBack(expect, undefined)
    : skip('removed on the MDS, but something in it has to wait on Main');
}

/** Something in Main's folder is not going to go. */
function staysOnMain(main: Tree, folder: string, decisions: Decisions): boolean {
  if (main.holdsOverride(folder)) return true;
  return [...main.childrenOf(folder)].some((child) => {
    return decisions.get(child)?.kind === 'deliver' || main.get(child)?.kind === 'special';
  });
}

/** Main's folder is not empty, so it is delivered again. */
function comesBack(folder: FolderRemoval['expect'], expect: FolderRemoval['expect'] | undefined): Decision {
  const reason = 'the folder is not empty on Main';
  return {
    kind: 'deliver',
    entry: folder,
    expect,
    replacesSpecial: false,
    content: true,
    drift: true,
    reason,
  };
}

/** Nothing can be put into a folder that is not there and is not about to be: something else has its name. */
function waitForFolders(input: PlanInput, decisions: Decisions): void {
  const without = [...decisions].filter(([path, { kind }]) => {
    if (kind !== 'deliver' && kind !== 'upload') return false;
    const target = kind === 'deliver' ? input.mds : input.main;
    const folder = parentOf(path);
    return folder !== '' && entryOf(target.get(folder))?.type !== 'folder';
  });
  // Outermost first, so that what waits makes what it holds wait.
  without.sort(([a], [b]) => a.length - b.length);
  for (const [path, { kind }] of without) {
    const made = decisions.get(parentOf(path));
    if (made?.kind === kind && 'entry' in made && made.entry.type === 'folder') continue;
    const where = kind === 'deliver' ? 'the MDS' : 'Main';
    decisions.set(path, skip(`on ${where} something that is no folder stands in its way`));
  }
}

function holdsUnsettled(tree: Tree, folder: string): boolean {
  for (const path of pathsBelow(tree, folder)) {
    const kind = tree.get(path)?.kind;
    if (kind === 'moving' || kind === 'unreadable') return true;
  }
  return false;
}

function filesBelow(tree: Tree, folder: string): number {
  let files = 0;
  for (const path of pathsBelow(tree, folder)) if (entryOf(tree.get(path))?.type !== 'folder') files += 1;
  return files;
}

function isFolderRemoval(decision: Decision): decision is FolderRemoval {
  return (
    (decision.kind === 'remove' || decision.kind === 'remove-on-main') && decision.expect.type === 'folder'
  );
}

function skip(reason: string, failed = false): Decision {
  return { kind: 'skip', reason, failed };
}
