import { ControlError } from '#host/control/controlError.ts';
import { localTime } from '#host/time/localTime.ts';
import { printable } from '#core/text/printable.ts';
import type { MainDirectory } from '../../directories/mainDirectory.ts';
import { missingContents } from '../../versions/rollBack.ts';
import type { UndoStep } from '../../versions/undo.ts';
import { wantedBack, wantedBefore } from '../../versions/wanted.ts';
import type { Controller } from '../../daemon/controller.ts';
import { passOver } from '../../daemon/passes.ts';
import { locateOrWhole } from '../locate.ts';
import type { ShowProgress } from '../../daemon/passProgress.ts';
import type { RolledBack } from '../contract/contract.ts';
import { actionOf, carryOut, changesOf, identify, refuseUnless } from './rollback.ts';
import { refuseWhilePaused } from '../refuseWhilePaused.ts';

export type RestoreAsked = {
  /** A path, a folder, or a change set. */
  readonly written: string;
  /** The version of this time, milliseconds since 1970. */
  readonly at?: number | undefined;
  readonly dryRun: boolean;
  readonly actor: string;
  readonly show: ShowProgress;
};

/**
 * Restores files that were removed or replaced on Main from its older versions, as one change set, which every MDS gets
 * like any other change.
 * @returns undefined when Main has no version of it
 * @throws ControlError when it is not possible as a whole; then nothing was changed
 */
export async function restoreVersions(
  controller: Controller,
  { written, at, ...how }: RestoreAsked,
): Promise<RolledBack | undefined> {
  if (!how.dryRun) refuseWhilePaused(controller);
  const found = locateOrWhole(controller, written);
  if (found === undefined) {
    if (!/^\d{8}T\d{6}/.test(written)) return undefined;
    return restoreChangeSet(controller, identify(controller, written), how);
  }
  const { directory, path } = found;
  await settle(directory);
  const steps = wantedBack(
    controller.versions.log.ofScope(directory.name, path),
    path,
    directory.replica,
    at,
  );
  if (steps.length === 0) return undefined;
  const done = at === undefined ? 'restored' : `restored as of ${localTime(at)}`;
  const reason = how.dryRun ? `would be ${done}` : done;
  return bringBack(controller, directory, steps, { changeSet: '', reason, ...how });
}

async function restoreChangeSet(
  controller: Controller,
  changeSet: string,
  how: Pick<RestoreAsked, 'dryRun' | 'actor' | 'show'>,
): Promise<RolledBack | undefined> {
  const { versions } = controller;
  const names = new Set([
    ...controller.history.placesOf(changeSet).map(({ directory }) => directory),
    ...controller.history.directoriesOfSave(changeSet),
  ]);
  const [name = ''] = names;
  const directory = controller.directories.get(name);
  if (names.size !== 1 || directory === undefined) return undefined;
  await settle(directory);
  const numbers = changesOf(controller, name, versions, changeSet);
  const steps = wantedBefore(versions.log.ofScope(name, ''), numbers, directory.replica);
  if (steps.length === 0) return undefined;
  const reason = how.dryRun
    ? `would be restored: ${changeSet} removed or replaced it`
    : `restored what ${changeSet} removed or replaced`;
  return bringBack(controller, directory, steps, { changeSet, reason, ...how });
}

const FROM_AN_MDS =
  '"xivo-xds-sync trash list" names the host; "xivo-xds-sync trash restore PATH --from MDS --to-main" restores one';

async function bringBack(
  controller: Controller,
  directory: MainDirectory,
  steps: readonly UndoStep[],
  {
    changeSet,
    reason,
    dryRun,
    actor,
    show,
  }: { changeSet: string; reason: string } & Pick<RestoreAsked, 'dryRun' | 'actor' | 'show'>,
): Promise<RolledBack> {
  refuseUnless(
    missingContents(steps, controller.versions).map((path) => printable(path)),
    [
      `is not kept on Main any more: an MDS may have it in its trash. ${FROM_AN_MDS}`,
      `are not kept on Main any more: an MDS may have them in its trash. ${FROM_AN_MDS}`,
    ],
  );
  const actions = steps.map((step) => actionOf(directory, step, reason));
  const result = { changeSet, directory: directory.name, actions, by: null, problems: [], mds: [] };
  if (dryRun) return result;
  // A restored file must not be removed again by its old tombstone.
  for (const { path } of steps) directory.forgetRemoval(path);
  const done = await carryOut(controller, directory, controller.versions, steps, reason, actor, 'restore');
  return { ...result, ...done, mds: await passOver(controller, { do: 'reconcile' }, undefined, show) };
}

async function settle(directory: MainDirectory): Promise<void> {
  await directory.readAgain();
  if (directory.replica.held !== undefined)
    throw new ControlError(`"${directory.name}" is on hold on Main: ${directory.replica.held}`);
}
