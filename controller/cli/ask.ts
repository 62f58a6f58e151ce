import { howToStart } from '#host/cli/howToStart.ts';
import { askDaemon, type Daemon, PermissionDenied } from '#host/control/controlClient.ts';
import { ControlError } from '#host/control/controlError.ts';
import type { ArgsIn } from '#host/control/contract.ts';
import { showProgress } from '#host/cli/output/shownProgress.ts';
import { printJson as printAsJson } from '#host/cli/output/terminal.ts';
import { VERSION } from '#host/version.ts';
import type { ControllerCommand, ControllerContract, Result, Status } from '../control/contract/contract.ts';
import { contractOf } from '../control/contract/contractOf.ts';
import type { MainJson } from './json.ts';
import type { Context } from './context.ts';

function daemonOf({ root }: Context, socketPath: string): Daemon {
  return {
    socketPath,
    name: 'controller',
    howToStart: howToStart(root, 'xivo-xds-sync', 'serve'),
  };
}

/**
 * Sends a command to the running controller of this root; on a terminal, shows its progress. The contract gives the
 * types of arguments and result.
 * @throws NotRunning, ControlError
 */
export async function ask<N extends ControllerCommand>(
  context: Context,
  command: N,
  args: ArgsIn<ControllerContract, N>,
): Promise<Result<N>> {
  const daemon = daemonOf(context, context.places.controlSocket);
  using shown = showProgress();
  const contract = (await contractOf[command]()) as ControllerContract;
  return await askDaemon(daemon, contract, command, args, shown.update);
}

/**
 * Reads the status, also as an unprivileged user: members of the configured group (`monitoring:`) may read it through a
 * separate socket.
 * @throws NotRunning, ControlError
 */
export async function askStatus(context: Context, mds: string | undefined): Promise<Status> {
  try {
    return await ask(context, 'status', { mds });
  } catch (error) {
    if (!(error instanceof PermissionDenied)) throw error;
    const daemon = daemonOf(context, context.places.statusSocket);
    try {
      return await askDaemon(daemon, await contractOf.status(), 'status', { mds });
    } catch (second) {
      if (!(second instanceof PermissionDenied)) throw second;
      throw new ControlError(
        'permission denied: this needs root, or a member of the group that "monitoring: { group: … }" names (default: adm)',
      );
    }
  }
}

/** What `--json` prints: always an object with the version of the program that printed it, as docs/json has it. */
export function printJson<K extends keyof MainJson>(_command: K, value: MainJson[K]): void {
  printAsJson({ version: VERSION, ...value });
}
