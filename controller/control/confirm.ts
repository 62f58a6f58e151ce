import { ControlError } from '#host/control/controlError.ts';
import type { Controller } from '../daemon/controller.ts';
import { passOver } from '../daemon/passes.ts';
import type { Result } from './contract/contract.ts';
import { requireDirectory } from './known.ts';

/** Lets the removals that are on hold in a directory happen, once: on every MDS, or on one. */
export async function confirm(
  controller: Controller,
  name: string,
  only: string | undefined,
): Promise<Result<'confirm'>> {
  const directory = requireDirectory(controller, name);
  if (only !== undefined && directory.replica.held !== undefined) {
    throw new ControlError(
      `${name} is on hold on Main itself (${directory.replica.held}): confirm it without --mds`,
    );
  }
  if (directory.replica.held !== undefined) {
    try {
      await directory.replica.confirm();
    } catch (error) {
      throw new ControlError(
        `${name} can't be confirmed: ${error instanceof Error ? error.message : String(error)}. Make the directory first`,
      );
    }
    directory.tellIfHeld();
  }
  if (controller.config.canary.length > 0) controller.openGate(directory);
  controller.log.warn('held removals confirmed', { directory: name, mds: only ?? 'all' });
  return { mds: await passOver(controller, { do: 'confirm', directory: name }, only) };
}
