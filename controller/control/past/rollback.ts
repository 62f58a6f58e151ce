import type { PlannedAction } from '#protocol/messages/common.ts';
import { printable } from '#core/text/printable.ts';
import { ControlError } from '#host/control/controlError.ts';
import { bytesOf } from '#core/manifest/entry.ts';
import type { MainDirectory } from '../../directories/mainDirectory.ts';
import { missingContents, rollBack } from '../../versions/rollBack.ts';
import { undo, type UndoStep } from '../../versions/undo.ts';
import type { Versions } from '../../versions/versions.ts';
import type { Controller } from '../../daemon/controller.ts';
import { passOver } from '../../daemon/passes.ts';
import type { ShowProgress } from '../../daemon/passProgress.ts';
import type { RolledBack } from '../contract/contract.ts';
import { refuseWhilePaused } from '../refuseWhilePaused.ts';

/** Most names in a message; others are counted. */
const MAX_NAMED = 10;
/** Most change sets that are listed for an ambiguous id. */
const MAX_IDS = 5;

/**
 * Restores a directory on Main to its content before a change set, and so on every MDS.
 * @throws ControlError when it is not possible as a whole; then nothing was changed
 */
export async function rollback(
  controller: Controller,
  written: string,
  dryRun: boolean,
  actor: string,
  show: ShowProgress,
): Promise<RolledBack> {
  const found = find(controller, written);
  const { changeSet, directory, versions, number } = found;
  if (!dryRun) refuseWhilePaused(controller);
  await directory.readAgain();
  if (directory.replica.held !== undefined)
    throw new ControlError(`"${directory.name}" is on hold on Main (${directory.replica.held})`);
  const { steps, unclear } = undo(versions.log.since(directory.name, number), directory.replica);
  refuseUnless(
    unclear.map(({ path, why }) => `${printable(path)} (${why})`),
    ['can not be judged now', 'can not be judged now'],
  );
  refuseUnless(
    missingContents(steps, versions).map((path) => printable(path)),
    ['is not kept in the required version', 'are not kept in the required version'],
  );
  const reason = `${dryRun ? 'would be ' : ''}rolled back to before ${changeSet}`;
  const actions = steps.map((step) => actionOf(directory, step, reason));
  const result = { changeSet, directory: directory.name, actions, by: null, problems: [], mds: [] };
  if (dryRun) return result;
  const done =
    steps.length === 0 ? undefined : await carryOut(controller, directory, versions, steps, reason, actor);
  return { ...result, ...done, mds: await passOver(controller, { do: 'reconcile' }, undefined, show) };
}

type Found = {
  readonly changeSet: string;
  readonly directory: MainDirectory;
  readonly versions: Versions;
  readonly number: number;
};

/** The change set of a given id, and its place in Main's log. */
function find(controller: Controller, written: string): Found {
  const changeSet = identify(controller, written);
  const places = controller.history.placesOf(changeSet);
  // A save on Main, which each MDS carried out under an id of its own.
  const saved = places.length === 0 ? savedAs(controller, changeSet) : undefined;
  if (saved !== undefined) return saved;
  // Each MDS chooses its ids itself: one that uses the id of another MDS must not decide what is undone.
  const [{ directory: name } = { directory: '' }, another] = places;
  if (another !== undefined) {
    const named = places.map(({ mds, directory }) => `${directory} on ${mds}`).join(', ');
    throw new ControlError(`${changeSet} does not name one change set alone: ${named}`);
  }
  const directory = controller.directories.get(name);
  if (directory === undefined)
    throw new ControlError(`${changeSet} changed "${name}", which is no longer a synchronised directory`);
  const { versions } = controller;
  const number = versions.isCompact(name)
    ? versions.appliedRevisions.numberOf(name, changeSet)
    : (versions.appliedRevisions.numberOf(name, changeSet) ??
      placeByHistory(controller, directory, versions, changeSet));
  const { oldest } = versions.log;
  if (number !== undefined && oldest !== undefined && number >= oldest.number)
    return { changeSet, directory, versions, number };
  const at = places[0]?.at ?? 0;
  throw new ControlError(
    number !== undefined || oldest === undefined || at < oldest.at
      ? `${changeSet} is older than Main's record of "${name}": ${oldest === undefined ? 'nothing has changed there' : `that begins ${new Date(oldest.at).toISOString()}`}`
      : `${changeSet} contains no change from Main (it only reverted edits on an MDS): there is nothing to undo`,
  );
}

/** Main knows where its own save begins. */
function savedAs(controller: Controller, changeSet: string): Found | undefined {
  const { history, versions } = controller;
  for (const name of history.directoriesOfSave(changeSet)) {
    const directory = controller.directories.get(name);
    const number = versions.appliedRevisions.numberOf(name, changeSet);
    const { oldest } = versions.log;
    if (directory !== undefined && number !== undefined && oldest !== undefined && number >= oldest.number)
      return { changeSet, directory, versions, number };
    throw new ControlError(`${changeSet} is older than Main's record of "${name}"`);
  }
  return undefined;
}

/** The beginning of a change set without dialplan files: the newest earlier change of one of its paths. */
function placeByHistory(
  controller: Controller,
  { name }: MainDirectory,
  versions: Versions,
  changeSet: string,
): number | undefined {
  const numbers = [...changesOf(controller, name, versions, changeSet).values()];
  return numbers.length === 0 ? undefined : Math.min(...numbers);
}

/** The revision on Main that a change set delivered, for each of its paths. */
export function changesOf(
  { history }: Controller,
  directory: string,
  versions: Versions,
  changeSet: string,
): Map<string, number> {
  const numbers = new Map<string, number>();
  for (const { path, kind, at, detail } of history.find({ limit: 100_000, changeSet, directory })) {
    const of = path ?? detail.split(': ')[0] ?? '';
    // A change set that reverted edits on an MDS delivered no change of Main.
    const number = kind === 'restore' ? undefined : versions.log.lastUntil(directory, of, at);
    if (number !== undefined) numbers.set(of, number);
  }
  return numbers;
}

/**
 * The full id of a change set from a unique prefix.
 * @throws ControlError with exit code 2 when it is unknown or ambiguous
 */
export function identify({ history }: Controller, written: string): string {
  if (!/^[0-9A-Za-z-]{1,64}$/.test(written))
    throw new ControlError(
      `"${printable(written)}" is not a change set: see "xivo-xds-sync history", which shows it in brackets`,
      2,
    );
  const ids = history.changeSetsFrom(written, MAX_IDS + 1);
  const [id] = ids;
  if (id === undefined)
    throw new ControlError(
      `there is no change set "${written}": see "xivo-xds-sync history", which shows it in brackets`,
      2,
    );
  if (ids.length === 1 || id === written) return id;
  const named = ids.slice(0, MAX_IDS).join(', ');
  throw new ControlError(
    `several change sets begin with "${written}": ${named}${ids.length > MAX_IDS ? ' …' : ''}`,
    2,
  );
}

/** @throws ControlError that lists the paths, unless there are none. @param why as it follows one of them, and several */
export function refuseUnless(paths: readonly string[], why: readonly [one: string, several: string]): void {
  if (paths.length === 0) return;
  const more = paths.length > MAX_NAMED ? ` and ${paths.length - MAX_NAMED} more` : '';
  throw new ControlError(
    `nothing was changed: ${paths.slice(0, MAX_NAMED).join(', ')}${more} ${why[paths.length === 1 ? 0 : 1]}`,
  );
}

/**
 * Carries out the steps on Main as one change set, with history.
 * @returns its id, and the paths that could not be written
 */
export async function carryOut(
  controller: Controller,
  directory: MainDirectory,
  versions: Versions,
  steps: readonly UndoStep[],
  reason: string,
  actor: string,
  kind = 'rollback',
): Promise<Pick<RolledBack, 'by' | 'problems'>> {
  const { history, clock, log } = controller;
  const { name } = directory;
  const startedAt = clock.monotonic();
  const { changeSet, outcomes } = await rollBack(
    directory,
    versions,
    steps,
    { reason, actor },
    (set, outcomes) => {
      const durationMs = Math.round(clock.monotonic() - startedAt);
      for (const { step, result } of outcomes) {
        if (result !== 'done') continue;
        const bytes = step.kind === 'put' ? bytesOf(step.entry) : 0;
        const detail = `${step.path}: ${reason}`;
        history.add({
          at: clock.now(),
          mds: 'main',
          directory: name,
          changeSet: set.id,
          save: set.id,
          kind,
          detail,
          path: step.path,
          reason,
          actor,
          bytes,
          durationMs,
        });
      }
    },
  );
  log.warn('rolled back', { directory: name, changes: outcomes.length, changeSet, reason });
  const problems = outcomes.flatMap(({ step, result, errno }) =>
    result === 'done' ? [] : [`${step.path}: ${errno ?? 'it changed in this moment'}: try again`],
  );
  return { by: changeSet, problems };
}

/** The step as an action for display. */
export function actionOf(
  { name }: MainDirectory,
  { kind, path, entry }: UndoStep,
  reason: string,
): PlannedAction {
  const bytes = kind === 'put' ? bytesOf(entry) : 0;
  const put = entry.type === 'folder' ? 'mkdir' : entry.type === 'link' ? 'link' : 'restore';
  return { directory: name, action: kind === 'remove' ? 'remove' : put, path, bytes, reason };
}
