import { closeSync, readSync } from 'node:fs';
import { TimeSlice } from '#host/time/timeSlice.ts';
import type { OnCommit } from '#sync/apply/applierOptions.ts';
import { type Outcome, type Step, stampToReplace } from '#core/changeSet.ts';
import type { Stamp } from '#core/manifest/stamp.ts';
import type { Staging } from '#sync/apply/staging.ts';
import { bytesOf } from '#core/manifest/entry.ts';
import type { MainDirectory } from '../directories/mainDirectory.ts';
import type { UndoStep } from './undo.ts';
import type { Versions } from './versions.ts';

const CHUNK = 1024 * 1024;

/** Files whose older content is needed but not stored. */
export function missingContents(steps: readonly UndoStep[], versions: Versions): string[] {
  return steps.flatMap(({ kind, path, entry }) =>
    kind === 'put' && entry.type === 'file' && !versions.has(entry.hash) ? [path] : [],
  );
}

/**
 * Applies the steps in a directory on Main as one change set; displaced objects go to Main's trash.
 * @throws NoRoom, Node's fs errors, or that the directory is being closed; nothing is visible then
 */
export async function rollBack(
  directory: MainDirectory,
  versions: Versions,
  steps: readonly UndoStep[],
  { reason, actor }: { readonly reason: string; readonly actor: string },
  record: OnCommit,
): Promise<{ changeSet: string; outcomes: readonly Outcome[] }> {
  const bytes = steps.reduce((sum, { kind, entry }) => sum + (kind === 'put' ? bytesOf(entry) : 0), 0);
  using staging = directory.applier.begin(bytes);
  const { replica } = directory;
  // Before anything is waited for: the steps were made for what is there now, and must not touch what comes after it.
  const expected = steps.map(({ path }) => stampToReplace(replica, path));
  const staged: Step[] = [];
  const slice = new TimeSlice();
  const pauseIfDue = async (): Promise<void> => {
    staging.throwIfEnding();
    if (slice.due) await slice.pause();
  };
  for (const [number, step] of steps.entries()) {
    await pauseIfDue();
    staged.push(await stepFor(step, expected[number], { versions, staging, reason, pauseIfDue }));
  }
  staging.throwIfEnding();
  const { newest } = versions.log;
  const { outcomes } = await staging.commit(staged, record);
  directory.adopt(outcomes, { actor, save: staging.id });
  // The rollback itself can be rolled back.
  versions.appliedRevisions.placeOwn(directory.name, staging.id, outcomes, newest);
  return { changeSet: staging.id, outcomes };
}

type Preparing = {
  readonly versions: Versions;
  readonly staging: Staging;
  readonly reason: string;
  /** Lets the event loop run now and then; throws when the directory is being closed. */
  readonly pauseIfDue: () => Promise<void>;
};

async function stepFor(
  { kind, path, entry }: UndoStep,
  expect: Stamp | undefined,
  { versions, staging, reason, pauseIfDue }: Preparing,
): Promise<Step> {
  if (kind !== 'put') return { kind, path, entry, expect: expect ?? '', reason };
  if (entry.type !== 'file') return { kind, path, entry, expect, staged: staging.bare(entry), reason };
  const file = staging.file();
  await copyContent(versions, entry.hash, pauseIfDue, (chunk) => file.write(chunk));
  const staged = file.finish(entry);
  if (staged === undefined) throw new Error(`the older version of ${path} is damaged: nothing was changed`);
  return { kind, path, entry, expect, staged, reason };
}

async function copyContent(
  versions: Versions,
  hash: string,
  pauseIfDue: () => Promise<void>,
  write: (chunk: Uint8Array) => void,
): Promise<void> {
  const content = versions.contents.get(hash);
  if (content !== undefined) return write(content);
  const fd = versions.files.open(hash);
  if (fd === undefined) return;
  try {
    const buffer = Buffer.allocUnsafe(CHUNK);
    for (let length = readSync(fd, buffer); length > 0; length = readSync(fd, buffer)) {
      write(buffer.subarray(0, length));
      await pauseIfDue();
    }
  } finally {
    closeSync(fd);
  }
}
