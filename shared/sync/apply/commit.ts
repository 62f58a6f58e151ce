import { closeSync, fstatSync } from 'node:fs';
import { setMetadata } from '#host/fs/metadata.ts';
import { errnoOf } from '#host/fs/errno.ts';
import type { Folder } from '#host/fs/folder.ts';
import type { OpenFolders } from '#host/fs/openFolders.ts';
import type { ObjectStat } from '#host/fs/listing/objectStat.ts';
import { type Stamp, stampOf, withoutChangeTime } from '#core/manifest/stamp.ts';
import { OVERRIDE_PREFIX } from '#core/path/names.ts';
import { baseOf, depthOf, parentOf } from '#core/path/relative.ts';
import type { PrivateFolder } from './privateFolder.ts';
import type { ChangeSet, Outcome, Staged, Step } from '#core/changeSet.ts';
import type { Entry } from '#core/manifest/entry.ts';

/** Thrown internally when the disk differs from what a step expects: the step is stale, and a new plan is due. */
class Stale extends Error {}

/** The stamp of a file that was changed in the moment in which it was placed. */
export const CHANGED: Stamp = 'changed';

/** The folders of a commit. A displaced object is named in the trash by its step's number in the change set. */
export type CommitPlace = {
  readonly open: OpenFolders;
  readonly area: PrivateFolder;
  /** Set whenever the change set displaces anything. */
  readonly trash: Folder | undefined;
};

/**
 * Makes a change set visible, step by step and synchronously, so that nothing else runs in this process. Each step is
 * one atomic rename: a reader sees the old or the new object, never a missing one.
 *
 * RACE: a program reads several files while the steps are carried out. Worst case: it sees some old and some new ones;
 * Asterisk is kept out by the reader lease.
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
    // A folder above the path, or the path itself, changed: a new plan is due, too.
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
  if (step.kind === 'move') return move(step, place);
  const folder = place.open.get(parentOf(step.path));
  const name = baseOf(step.path);
  if (step.kind === 'put') return put(step, number, place, folder, name);
  const stat = folder.stat(name);
  if (stat === undefined || !isExpected(stat, step.expect)) throw new Stale();
  if (step.kind === 'metadata') {
    setVisibleMetadata(folder, name, stat, step.entry);
    return stampNow(folder, name, step.entry, String(stat.ino));
  }
  if (stat.isDirectory()) {
    place.open.forget(step.path);
    folder.removeFolder(name);
    return undefined;
  }
  moveToTrash(folder, name, step.expect, trashOf(place), number);
  return undefined;
}

/** Changes the metadata of a visible object through its own handle, since its name may be replaced by a link. */
function setVisibleMetadata(folder: Folder, name: string, expected: ObjectStat, entry: Entry): void {
  if (entry.type === 'link') return folder.setOwner(name, entry.uid, entry.gid);
  const fd = folder.openFile(name);
  try {
    if (fstatSync(fd, { bigint: true }).ino !== expected.ino) throw new Stale();
    // RACE: another program changes the file between the check and this call. Worst case: its mode, owner or mtime is
    // overwritten; written content stays and is found by its size, or by `verify`.
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
    return stampNow(folder, name, step.entry, step.staged.inode);
  }
  const before = folder.stat(name);
  if (before === undefined || !isExpected(before, step.expect)) throw new Stale();
  if (before.isDirectory()) {
    place.open.forget(step.path);
    // RACE: an override is created in the folder between this check and the exchange. Worst case: it goes to the trash
    // with the folder, from where it can be restored.
    if (step.entry.type !== 'folder' && holdsOverride(folder, name)) throw new Stale();
  }
  // RACE: a program that has the displaced file open writes to it after the check below. Worst case: its write is in the
  // trash, not in the live file.
  stage.rename(step.staged.name, folder, name, 'exchange');
  const displaced = stage.stat(step.staged.name);
  if (displaced === undefined || !isSameContent(before, displaced)) {
    // RACE: another program changed the file between the check and the exchange. Worst case: readers see this set's version
    // for a moment, until the other program's version is put back.
    takeBack(step, number, place, folder, name);
    throw new Stale();
  }
  try {
    stage.rename(step.staged.name, trashOf(place), String(number), 'no-replace');
  } catch (error) {
    // The trash can't take it (the disk is full): the displaced version must not be lost.
    takeBack(step, number, place, folder, name);
    throw error;
  }
  return stampNow(folder, name, step.entry, step.staged.inode);
}

/** Renames a file. Its content is the one that was read under the expected stamp, so nothing is read. */
function move({ path, from, expect }: Step & { kind: 'move' }, { open }: CommitPlace): Stamp {
  const [old, folder] = open.both(parentOf(from), parentOf(path));
  if (stampAt(old, baseOf(from)) !== expect) throw new Stale();
  // RACE: another program changes a file that is being moved, between the check and the rename. Worst case: its version has
  // the new name for a moment, until it is put back and a new plan is made.
  old.rename(baseOf(from), folder, baseOf(path), 'no-replace');
  const moved = stampAt(folder, baseOf(path));
  if (moved !== undefined && withoutChangeTime(moved) === withoutChangeTime(expect)) return moved;
  folder.rename(baseOf(path), old, baseOf(from), 'no-replace');
  throw new Stale();
}

/** The stamp of what has a name; '' for a folder, undefined when nothing has it. */
function stampAt(folder: Folder, name: string): Stamp | undefined {
  const stat = folder.stat(name);
  return stat?.isDirectory() === true ? '' : stat && stampOf(stat);
}

/** Undoes an exchange. Objects of other programs never stay in the staging area, from which they would be removed. */
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
    // RACE: another program removed, replaced or filled the new object before the exchange was undone. Worst case: its
    // latest version is in the trash, and the one before it is live.
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
  // RACE: another program changes the file between the check and the rename. Worst case: the name is missing for a moment;
  // if it is taken meanwhile, the changed version stays in the trash.
  folder.rename(name, trash, String(number), 'no-replace');
  const moved = trash.stat(String(number));
  if (moved === undefined || isSameContent(before, moved)) return;
  trash.rename(String(number), folder, name, 'no-replace');
  throw new Stale();
}

/** An override is never displaced, not even one created after the plan was made. */
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

/** A folder's stamp is '', since its content changes independently. */
function isExpected(stat: ObjectStat, expect: Stamp): boolean {
  return stat.isDirectory() ? expect === '' : stampOf(stat) === expect;
}

/** A rename alters ctime and nothing else. */
function isSameContent(a: ObjectStat, b: ObjectStat): boolean {
  if (a.isDirectory()) return b.isDirectory() && a.ino === b.ino;
  return a.ino === b.ino && a.size === b.size && a.mtimeNs === b.mtimeNs;
}

/**
 * The stamp of an object that was just placed; one that no object has when another program has changed it already, so that
 * it is read again.
 * RACE: another program writes between the rename and this call. Worst case: it wrote as many bytes and set the mtime of
 * this set's version, too; then only the next change of the file or `verify` finds it.
 * @param inode of what was placed
 */
function stampNow(folder: Folder, name: string, entry: Entry, inode: string): Stamp {
  const stat = folder.stat(name);
  if (stat === undefined) throw new Stale();
  if (stat.isDirectory()) return '';
  return String(stat.ino) === inode && isAsPlaced(stat, entry) ? stampOf(stat) : CHANGED;
}

/** A file system may cut mtimes off, never advance them; a write does that. */
function isAsPlaced(stat: ObjectStat, entry: Entry): boolean {
  if (entry.type !== 'file') return true;
  return stat.size === BigInt(entry.size) && stat.mtimeNs <= BigInt(entry.mtime);
}
