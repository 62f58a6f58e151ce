import { closeSync, readSync } from 'node:fs';
import type { Entry, FileEntry } from '#core/manifest/entry.ts';
import type { Applier } from './applier.ts';
import type { OnCommit } from './applierOptions.ts';
import type { Staging } from './staging.ts';
import type { ChangeSet, Outcome, Step } from '#core/changeSet.ts';
import type { Folder } from '#host/fs/folder.ts';

const CHUNK = 1024 * 1024;

/**
 * Reverts a change set by another one: objects that it replaced or removed come back from its trash, added ones are
 * removed. Paths that changed since are left to the next plan.
 *
 * @param before the entry of each path before the set, for metadata and removed folders
 */
export async function revert(
  changeSet: ChangeSet,
  outcomes: readonly Outcome[],
  before: ReadonlyMap<string, Entry | undefined>,
  place: { readonly applier: Applier; readonly record: OnCommit },
): Promise<readonly Outcome[]> {
  using staging = place.applier.begin(0);
  const steps = staging.withTrashOf(changeSet.id, (trash) =>
    outcomes.flatMap((outcome) => {
      if (outcome.result !== 'done') return [];
      const number = changeSet.steps.indexOf(outcome.step);
      return backwards(outcome, String(number), before.get(outcome.step.path), staging, trash) ?? [];
    }),
  );
  if (steps.length === 0) return [];
  return (await staging.commit(steps, place.record)).outcomes;
}

function backwards(
  { step, stamp }: Outcome,
  number: string,
  before: Entry | undefined,
  staging: Staging,
  trash: Folder | undefined,
): Step | undefined {
  const { path } = step;
  const reason = 'taken back: Asterisk refused it';
  // What Asterisk reads as a whole is never moved.
  if (step.kind === 'move' || step.kind === 'keep' || (step.kind !== 'remove' && stamp === undefined))
    return undefined;
  if (step.kind === 'put' && step.expect === undefined) {
    return { kind: 'remove', path, entry: step.entry, expect: stamp ?? '', reason };
  }
  if (before === undefined) return undefined;
  const expect = step.kind === 'remove' ? undefined : (stamp ?? '');
  if (step.kind === 'metadata') return { kind: 'metadata', path, entry: before, expect: stamp ?? '', reason };
  const staged = before.type === 'file' ? copyBack(trash, number, before, staging) : staging.bare(before);
  return staged && { kind: 'put', path, entry: before, expect, staged, reason };
}

function copyBack(
  trash: Folder | undefined,
  number: string,
  entry: FileEntry,
  staging: Staging,
): ReturnType<Staging['bare']> | undefined {
  if (trash?.stat(number) === undefined) return undefined;
  const fd = trash.openFile(number);
  const file = staging.file();
  try {
    const buffer = Buffer.allocUnsafe(Math.min(CHUNK, Math.max(1, entry.size)));
    for (let length = readSync(fd, buffer); length > 0; length = readSync(fd, buffer)) {
      file.write(buffer.subarray(0, length));
    }
    return file.finish(entry);
  } catch (error) {
    file.discard();
    throw error;
  } finally {
    closeSync(fd);
  }
}
