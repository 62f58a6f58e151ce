import { isMissing } from '#host/fs/errno.ts';
import type { ObjectStat } from '#host/fs/listing/objectStat.ts';
import { type Stamp, stampOf, withoutChangeTime } from '#core/manifest/stamp.ts';
import type { Entry } from '#core/manifest/entry.ts';
import { baseOf, parentOf } from '#core/path/relative.ts';
import type { ChangeSet, Outcome, Step } from '#core/changeSet.ts';
import { commit, type CommitPlace } from './commit.ts';

/**
 * Finishes a change set that a crash interrupted during its commit, whatever subset of its renames reached the disk: the
 * journal holds the inode of each staged object, by which it is found.
 */
export function recover(changeSet: ChangeSet, place: CommitPlace): Outcome[] {
  const done: Outcome[] = [];
  const open: Step[] = [];
  changeSet.steps.forEach((step, number) => {
    const outcome = whatHappened(step, String(number), place);
    if (outcome === 'not-yet') open.push(step);
    else done.push(outcome);
  });
  return [...done, ...commit(changeSet, place, new Set(open))];
}

function whatHappened(step: Step, number: string, place: CommitPlace): Outcome | 'not-yet' {
  const { stage } = place.area;
  if (step.kind === 'metadata') return { step, result: 'stale' };
  if (step.kind === 'move') return wasMoved(step, place);
  const inTrash = place.trash?.stat(number);
  if (step.kind === 'remove') {
    if (inTrash === undefined) return 'not-yet';
    // An object there now was created later, so the removal is no longer the path's latest state.
    return { step, result: statAt(step.path, place) === undefined ? 'done' : 'stale' };
  }
  const { name, inode } = step.staged;
  const staged = stage.stat(name);
  if (step.kind === 'keep')
    return staged === undefined ? { step, result: inTrash ? 'done' : 'stale' } : 'not-yet';
  // The second rename reached the disk but the exchange before it did not: undo the second one.
  if (staged === undefined && String(inTrash?.ino) === inode) {
    place.trash?.rename(number, stage, name, 'no-replace');
    return 'not-yet';
  }
  if (String(staged?.ino) === inode) return 'not-yet';
  if (staged !== undefined && place.trash !== undefined)
    stage.rename(name, place.trash, number, 'no-replace');
  return placed(step, inode, place);
}

/** A rename reaches the disk whole or not at all. */
function wasMoved(step: Step & { kind: 'move' }, place: CommitPlace): Outcome | 'not-yet' {
  const stat = statAt(step.path, place);
  if (stat === undefined || !isSameVersion(stat, step.expect)) return 'not-yet';
  // Both names of one file: another program linked it, and the commit finds the new name taken.
  if (statAt(step.from, place)?.ino === stat.ino) return 'not-yet';
  return { step, result: 'done', stamp: stampOf(stat) };
}

/** The same file as under a stamp, but for the ctime, which a rename sets. */
function isSameVersion(stat: ObjectStat, stamp: Stamp): boolean {
  return withoutChangeTime(stampOf(stat)) === withoutChangeTime(stamp);
}

function placed(step: Step, inode: string, place: CommitPlace): Outcome {
  const stat = statAt(step.path, place);
  if (stat === undefined || String(stat.ino) !== inode || !looksLike(stat, step.entry))
    return { step, result: 'stale' };
  return { step, result: 'done', stamp: stat.isDirectory() ? '' : stampOf(stat) };
}

/** Compares more than the inode number, which the file system reuses. */
function looksLike(stat: ObjectStat, entry: Entry): boolean {
  if (entry.type === 'folder') return stat.isDirectory();
  if (entry.type === 'link') return stat.isSymbolicLink();
  return stat.isFile() && stat.size === BigInt(entry.size) && stat.mtimeNs === BigInt(entry.mtime);
}

/** @returns undefined when nothing is there or its folder is missing; the next plan handles that */
function statAt(path: string, { open }: CommitPlace): ObjectStat | undefined {
  try {
    return open.get(parentOf(path)).stat(baseOf(path));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
