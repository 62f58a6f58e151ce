import type { Folder } from '../disk/folder.ts';
import { baseOf, parentOf } from '../paths/relative.ts';
import type { ChangeSet, Outcome, Step } from './changeSet.ts';
import { commit, type CommitPlace, stampNow } from './commit.ts';

/**
 * Finishes a change set that a crash cut off anywhere in its commit, whatever subset of its renames reached the
 * disk: the inode of each staged object, written down in the journal, tells where it is now.
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
  const inTrash = place.trash.stat(number);
  if (step.kind === 'remove') return inTrash === undefined ? 'not-yet' : { step, result: 'done' };
  const { name, inode } = step.staged;
  const staged = stage.stat(name);
  if (step.kind === 'keep')
    return staged === undefined ? { step, result: inTrash ? 'done' : 'stale' } : 'not-yet';
  // The second rename reached the disk and the exchange before it did not: take that back.
  if (staged === undefined && String(inTrash?.ino) === inode) {
    place.trash.rename(number, stage, name, 'no-replace');
    return 'not-yet';
  }
  if (String(staged?.ino) === inode) return 'not-yet';
  if (staged !== undefined) stage.rename(name, place.trash, number, 'no-replace');
  return placed(step, inode, place);
}

function placed(step: Step, inode: string, place: CommitPlace): Outcome {
  try {
    const folder: Folder = place.open.get(parentOf(step.path));
    const stat = folder.stat(baseOf(step.path));
    if (String(stat?.ino) !== inode) return { step, result: 'stale' };
    return { step, result: 'done', stamp: stampNow(folder, baseOf(step.path)) };
  } catch {
    // Its folder is gone again: the next plan sees what there is.
    return { step, result: 'stale' };
  }
}
