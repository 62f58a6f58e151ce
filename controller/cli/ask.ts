import { askDaemon } from '#host/control/controlClient.ts';
import type { ArgsIn, Progress } from '#host/control/contract.ts';
import { printJson as printAsJson } from '#host/cli/terminal.ts';
import { VERSION } from '#host/version.ts';
import {
  type ControllerCommand,
  controllerContract,
  type ControllerContract,
  type Result,
} from '../control/contract/contract.ts';
import type { Context } from './context.ts';

/**
 * Asks the controller that runs in this place. Arguments and result are what the contract says.
 * @throws NotRunning, ControlError
 */
export function ask<N extends ControllerCommand>(
  context: Context,
  command: N,
  args: ArgsIn<ControllerContract, N>,
  onProgress?: (progress: Progress) => void,
): Promise<Result<N>> {
  const daemon = {
    socketPath: context.places.controlSocket,
    name: 'controller',
    howToStart:
      'Start it with "systemctl start xivo-xds-sync", or in the foreground with "xivo-xds-sync serve"',
  };
  return askDaemon(daemon, controllerContract, command, args, onProgress) as Promise<Result<N>>;
}

/** What `--json` prints: always an object with the version of the program that printed it. */
export function printJson(value: object): void {
  printAsJson({ version: VERSION, ...value });
}
