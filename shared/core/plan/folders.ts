import { sameContent } from '../manifest/entry.ts';
import { entryOf } from '../manifest/pathState.ts';
import { parentOf } from '../path/relative.ts';
import { type Decision, isFolderRemoval, type Removal } from './decision.ts';
import type { Decisions } from './decisions.ts';
import type { PlanInput } from './planInput.ts';
import { pathsBelow, type Tree } from './tree.ts';

/**
 * Makes the decisions about folders consistent with those about their content; decide.ts looks at each path alone.
 * @returns number of files and links that go to the trash inside folders that a file or link replaces, by folder path
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

/** Finds the paths where Main has a file (or link) and the MDS a folder, which goes to the trash as a whole. */
function replacedOnMds({ mds }: PlanInput, decisions: Decisions): string[] {
  const replaced: string[] = [];
  for (const [path, decision] of decisions.others()) {
    if (decision.kind !== 'deliver' || decision.entry.type === 'folder' || decision.expect?.type !== 'folder')
      continue;
    // Nothing is done where the folder must not be moved: an override belongs to the MDS, and the state of what is
    // being written or can't be read is unknown.
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
 * Finds the paths where the MDS has a file (or link) and Main a folder. The file wins when the MDS's removals empty that
 * folder; otherwise the folder comes back.
 */
function replacedOnMain({ main, mds }: PlanInput, decisions: Decisions): Set<string> {
  const replaced = new Set<string>();
  for (const [path, decision] of decisions.others()) {
    if (decision.kind !== 'upload' || decision.entry.type === 'folder' || decision.expect?.type !== 'folder')
      continue;
    const children = [...main.childrenOf(path)];
    const emptied = children.every((child) => decisions.get(child)?.kind === 'remove-on-main');
    if (emptied && !main.holdsOverride(path)) replaced.add(path);
    // Something in Main's folder stays, so the folder stays, too.
    else if (staysOnMain(main, path, decisions)) {
      decisions.set(path, comesBack(decision.expect, entryOf(mds.get(path))));
    } else {
      // Something in it can't be decided yet: nothing is done, and the next plan decides.
      decisions.set(path, skip('what Main has in the folder of that name has to wait'));
    }
  }
  return replaced;
}

/** Drops the decisions inside replaced folders: their content moves with the folder, and the applier updates the ledger. */
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

/** Keeps a folder that one side removed while something inside it stays. */
function keepFoldersThatAreNotEmpty(input: PlanInput, decisions: Decisions): void {
  // Deepest first: whether a folder stays depends on the folders inside it.
  const folders = [...decisions.others()]
    .filter(([, decision]) => isFolderRemoval(decision))
    .map(([path]) => path)
    .sort((a, b) => b.length - a.length);
  for (const path of folders) {
    const removal = decisions.get(path);
    if (removal === undefined || !isFolderRemoval(removal)) continue;
    const tree = removal.kind === 'remove' ? input.mds : input.main;
    const kinds = [...tree.childrenOf(path)].map((child) => decisions.get(child)?.kind);
    // All of its content goes, and so does the folder.
    if (kinds.every((kind) => kind === removal.kind) && !tree.holdsOverride(path)) continue;
    const kept =
      removal.kind === 'remove'
        ? keptOnMds(input, path, removal, kinds)
        : keptOnMain(staysOnMain(tree, path, decisions), removal);
    if (kept) decisions.set(path, kept);
    else decisions.delete(path);
  }
}

/** Main removed the folder, but something in it stays on the MDS. @returns undefined when nothing is to be done now */
function keptOnMds(
  { policy, mds, ledger, tombstones }: PlanInput,
  path: string,
  { expect }: Removal,
  inside: readonly (Decision['kind'] | undefined)[],
): Decision | undefined {
  // Something in it goes to Main, which needs the folder again.
  if (inside.includes('upload')) {
    const reason = 'removed on Main, but something in it stays on the MDS';
    return { kind: 'upload', entry: expect, expect: undefined, content: true, conflict: false, reason };
  }
  // Something in it can't be decided yet: nothing is done, and the next plan decides.
  if (inside.includes('skip')) return skip('removed on Main, but something in it has to wait');
  // One way, only local files are left in it: the folder becomes local as well.
  if (policy.direction === 'to-mds') return ledger.has(path) ? { kind: 'forget' } : undefined;
  // Two-way, only overrides and excluded names are left in it. Dropped from the ledger, the folder would go to Main as a
  // new one unless Main's tombstone identifies it. While removals in it are still due, the ledger keeps it.
  const tombstone = tombstones.get(path);
  const isOld = tombstone !== undefined && sameContent(tombstone, expect);
  const isEmptied = !inside.includes('remove') && mds.holdsOverride(path);
  return isOld && isEmptied && ledger.has(path) ? { kind: 'forget' } : undefined;
}

/** The MDS removed the folder, but Main's is not empty: it comes back, or waits while its content is undecided. */
function keptOnMain(stays: boolean, { expect }: Removal): Decision {
  return stays
    ? comesBack(expect, undefined)
    : skip('removed on the MDS, but something in it has to wait on Main');
}

/** True when something in Main's folder stays for certain: an override, a special object, or an entry to be delivered. */
function staysOnMain(main: Tree, folder: string, decisions: Decisions): boolean {
  if (main.holdsOverride(folder)) return true;
  return [...main.childrenOf(folder)].some((child) => {
    return decisions.get(child)?.kind === 'deliver' || main.get(child)?.kind === 'special';
  });
}

/** Delivers Main's folder again, since it is not empty. */
function comesBack(folder: Removal['expect'], expect: Removal['expect'] | undefined): Decision {
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

/**
 * Skips what would go into a folder that the target side neither has nor is about to get, since something else has its
 * name. Nothing is done: the content follows once the name is free.
 */
function waitForFolders(input: PlanInput, decisions: Decisions): void {
  const without: { readonly path: string; readonly kind: 'deliver' | 'upload' }[] = [];
  decisions.forEach((path, kind) => {
    if (kind !== 'deliver' && kind !== 'upload') return;
    const target = kind === 'deliver' ? input.mds : input.main;
    const folder = parentOf(path);
    if (folder !== '' && entryOf(target.get(folder))?.type !== 'folder') without.push({ path, kind });
  });
  // Outermost first: a skipped folder skips its content.
  without.sort((a, b) => a.path.length - b.path.length);
  for (const { path, kind } of without) {
    const made = decisions.get(parentOf(path));
    // The folder is made by the same plan, before its content.
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

function skip(reason: string, failed = false): Decision {
  return { kind: 'skip', reason, failed };
}
