import { type BigIntStats, closeSync, fstatSync } from 'node:fs';
import { setMetadata } from '#host/fs/metadata.ts';
import { errnoOf } from '#host/fs/errno.ts';
import type { Folder } from '#host/fs/folder.ts';
import type { OpenFolders } from '#host/fs/openFolders.ts';
import { type Stamp, stampOf } from '#core/manifest/stamp.ts';
import { OVERRIDE_PREFIX } from '#core/path/names.ts';
import { baseOf, depthOf, parentOf } from '#core/path/relative.ts';
import type { PrivateFolder } from './privateFolder.ts';
import type { ChangeSet, Outcome, Staged, Step } from '#core/changeSet.ts';
import type { Entry } from '#core/manifest/entry.ts';

/** Thrown inside when disk is not what a step expects: the step is stale, and a new plan is due. */
class Stale extends Error {}

/** Where a step's displaced or kept content goes: its number in the change set names it in the trash. */
export type CommitPlace = {
  readonly open: OpenFolders;
  readonly area: PrivateFolder;
  /** There whenever the change set displaces anything. */
  readonly trash: Folder | undefined;
};

/**
 * Makes a change set visible, step by step without letting anything else run in this process. Each step is one
 * atomic rename: a reader sees the old or the new, never neither.
 * @param only the steps to carry out; their numbers, which name things in the trash, stay those of the whole set
 */
export function commit(changeSet: ChangeSet, place: CommitPlace, only = new Set(changeSet.steps)): Outcome[] {
  const outcomes = new Map<Step, Outcome>();
  for (const { step, number } of inOrder(changeSet.steps)) {
    if (only.has(step))
      outcomes.set(
        step,
        attempt(step, () => carryOut(step, number, place)),
      );
  }
  return changeSet.steps.flatMap((step) => outcomes.get(step) ?? []);
}

/** Folders before what lies in them, removals last and deepest first. */
export function inOrder(steps: readonly Step[]): { step: Step; number: number }[] {
  const numbered = steps.map((step, number) => ({ step, number }));
  const removals = numbered.filter(({ step }) => step.kind === 'remove');
  const others = numbered.filter(({ step }) => step.kind !== 'remove');
  const byDepth = (step: Step): number => depthOf(step.path);
  return [
    ...others.sort((a, b) => byDepth(a.step) - byDepth(b.step)),
    ...removals.sort((a, b) => byDepth(b.step) - byDepth(a.step)),
  ];
}

function attempt(step: Step, carry: () => Stamp | undefined): Outcome {
  try {
    const stamp = carry();
    return { step, result: 'done', ...(stamp !== undefined && { stamp }) };
  } catch (error) {
    if (error instanceof Stale) return { step, result: 'stale' };
    const errno = errnoOf(error);
    // The path's surroundings changed under us: that is for a new plan, too.
    const stale =
      errno === 'ENOENT' ||
      errno === 'ENOTDIR' ||
      errno === 'ELOOP' ||
      errno === 'ENOTEMPTY' ||
      errno === 'EEXIST';
    return stale ? { step, result: 'stale' } : { step, result: 'failed', errno };
  }
}

function carryOut(step: Step, number: number, place: CommitPlace): Stamp | undefined {
  if (step.kind === 'keep') {
    place.area.stage.rename(step.staged.name, trashOf(place), String(number), 'no-replace');
    return undefined;
  }
  const folder = place.open.get(parentOf(step.path));
  const name = baseOf(step.path);
  if (step.kind === 'put') return put(step, number, place, folder, name);
  const stat = folder.stat(name);
  if (stat === undefined || !isExpected(stat, step.expect)) throw new Stale();
  if (step.kind === 'metadata') {
    setVisibleMetadata(folder, name, stat, step.entry);
    return stampNow(folder, name);
  }
  if (stat.isDirectory()) {
    place.open.forget(step.path);
    folder.removeFolder(name);
    return undefined;
  }
  moveToTrash(folder, name, step.expect, trashOf(place), number);
  return undefined;
}

/** Changes the metadata of what is visible: through its own handle, since its name may be swapped for a link. */
function setVisibleMetadata(folder: Folder, name: string, expected: BigIntStats, entry: Entry): void {
  if (entry.type === 'link') return folder.setOwner(name, entry.uid, entry.gid);
  const fd = folder.openFile(name);
  try {
    if (fstatSync(fd, { bigint: true }).ino !== expected.ino) throw new Stale();
    setMetadata(fd, entry);
  } finally {
    closeSync(fd);
  }
}

function put(
  step: Step & { kind: 'put' },
  number: number,
  place: CommitPlace,
  folder: Folder,
  name: string,
): Stamp {
  const { stage } = place.area;
  if (step.expect === undefined) {
    stage.rename(step.staged.name, folder, name, 'no-replace');
    return stampNow(folder, name);
  }
  const before = folder.stat(name);
  if (before === undefined || !isExpected(before, step.expect)) throw new Stale();
  if (before.isDirectory()) {
    place.open.forget(step.path);
    if (step.entry.type !== 'folder' && holdsOverride(folder, name)) throw new Stale();
  }
  stage.rename(step.staged.name, folder, name, 'exchange');
  const displaced = stage.stat(step.staged.name);
  if (displaced === undefined || !isSameContent(before, displaced)) {
    // Somebody wrote between our look and the exchange: his version is not to be lost to this one.
    takeBack(step, number, place, folder, name);
    throw new Stale();
  }
  try {
    stage.rename(step.staged.name, trashOf(place), String(number), 'no-replace');
  } catch (error) {
    // A trash that takes nothing (a full disk) must not cost what was to be kept in it.
    takeBack(step, number, place, folder, name);
    throw error;
  }
  return stampNow(folder, name);
}

/** Undoes an exchange. What is not ours never stays in the staging area, from which it would be removed. */
function takeBack(
  { staged }: Step & { kind: 'put' },
  number: number,
  place: CommitPlace,
  folder: Folder,
  name: string,
): void {
  const { stage } = place.area;
  try {
    stage.rename(staged.name, folder, name, 'exchange');
  } finally {
    // Somebody was quicker once more: he removed or replaced what we had put there, or put something into it.
    if (!isOnlyOurs(stage, staged)) stage.rename(staged.name, trashOf(place), String(number), 'no-replace');
  }
}

function isOnlyOurs(stage: Folder, { name, inode }: Staged): boolean {
  const stat = stage.stat(name);
  if (stat === undefined) return true;
  if (String(stat.ino) !== inode) return false;
  if (!stat.isDirectory()) return true;
  const folder = stage.open(name);
  try {
    return folder.list().length === 0;
  } finally {
    folder.close();
  }
}

function trashOf({ trash }: CommitPlace): Folder {
  if (trash === undefined) throw new Error('a change set that displaces nothing displaced something');
  return trash;
}

function moveToTrash(folder: Folder, name: string, expect: Stamp, trash: Folder, number: number): void {
  const before = folder.stat(name);
  if (before === undefined || !isExpected(before, expect)) throw new Stale();
  folder.rename(name, trash, String(number), 'no-replace');
  const moved = trash.stat(String(number));
  if (moved === undefined || isSameContent(before, moved)) return;
  trash.rename(String(number), folder, name, 'no-replace');
  throw new Stale();
}

/** An override is never displaced, not even one that came after the plan was made. */
function holdsOverride(parent: Folder, name: string): boolean {
  const folder = parent.open(name);
  try {
    return folder.list().some((inner) => {
      if (inner.startsWith(OVERRIDE_PREFIX)) return true;
      return folder.stat(inner)?.isDirectory() === true && holdsOverride(folder, inner);
    });
  } finally {
    folder.close();
  }
}

/** A folder's stamp is '': its content is not its own. */
function isExpected(stat: BigIntStats, expect: Stamp): boolean {
  return stat.isDirectory() ? expect === '' : stampOf(stat) === expect;
}

/** A rename alters ctime and nothing else. */
function isSameContent(a: BigIntStats, b: BigIntStats): boolean {
  if (a.isDirectory()) return b.isDirectory() && a.ino === b.ino;
  return a.ino === b.ino && a.size === b.size && a.mtimeNs === b.mtimeNs;
}

function stampNow(folder: Folder, name: string): Stamp {
  const stat = folder.stat(name);
  if (stat === undefined) throw new Stale();
  return stat.isDirectory() ? '' : stampOf(stat);
}
