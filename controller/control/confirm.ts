import { ControlError } from '#host/control/controlError.ts';
import type { MainDirectory } from '../directories/mainDirectory.ts';
import type { Controller } from '../daemon/controller.ts';
import { holdsOf, passOver } from '../daemon/passes.ts';
import type { ShowProgress } from '../daemon/passProgress.ts';
import type { Result } from './contract/contract.ts';
import { requireDirectory } from './known.ts';

/** Allows the removals that are on hold in a directory, once: on every MDS, or on one. */
export async function confirm(
  controller: Controller,
  name: string,
  only: string | undefined,
  dryRun: boolean,
  show: ShowProgress,
): Promise<Result<'confirm'>> {
  const directory = requireDirectory(controller, name);
  if (only !== undefined && directory.replica.held !== undefined) {
    throw new ControlError(
      `${name} is on hold on Main itself (${directory.replica.held}): confirm it without --mds`,
    );
  }
  const held = await whatIsHeld(controller, directory, only, show);
  if (dryRun || held.length === 0) return { held, mds: [] };
  if (directory.replica.held !== undefined) {
    try {
      await directory.replica.confirm();
    } catch (error) {
      throw new ControlError(
        `${name} can't be confirmed: ${error instanceof Error ? error.message : String(error)}. Create the directory first`,
      );
    }
    directory.publishHold();
  }
  if (controller.config.canary.length > 0) controller.canaries.open(directory);
  const mds = await passOver(controller, { do: 'confirm', directory: name }, only, show);
  controller.log.warn('held removals confirmed', { directory: name, mds: only ?? 'all' });
  return { held, mds };
}

/** The holds of a directory, found by a dry run. */
async function whatIsHeld(
  controller: Controller,
  directory: MainDirectory,
  only: string | undefined,
  show: ShowProgress,
): Promise<Result<'confirm'>['held']> {
  const passes = await passOver(controller, { do: 'plan' }, only, show);
  const reason = directory.replica.held;
  const main = reason === undefined ? [] : [{ host: 'main', reason, paths: [] }];
  const elsewhere = passes.flatMap((pass) => {
    const { name, actions } = pass;
    const waiting = holdsOf(pass)?.map((each) => `${each.directory}\0${each.reason}`);
    const holds = actions.filter(
      (each) =>
        each.action === 'hold' &&
        each.directory === directory.name &&
        waiting?.includes(`${each.directory}\0${each.reason}`) !== false,
    );
    const [first] = holds;
    // A hold on Main applies to every MDS.
    if (first === undefined || first.reason === reason) return [];
    return [
      { host: name, reason: first.reason, paths: holds.flatMap(({ path }) => (path === '' ? [] : [path])) },
    ];
  });
  return [...main, ...elsewhere];
}
