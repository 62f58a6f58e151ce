import { EXIT } from '#host/cli/exitCodes.ts';
import { refuseWhileRunning } from '#host/control/refuseWhileRunning.ts';
import { removeIdentity } from '#host/identity/identityFiles.ts';
import { openLog } from '#host/log/openLog.ts';
import { removeTrustedMain } from '../../upgrade/trustedMain.ts';
import { removeMembership } from '../../connection/membership.ts';
import { print, printError } from '#host/cli/output/terminal.ts';
import { ask, printJson } from '../ask.ts';
import type { Context } from '../context.ts';
import { loadCredentials } from './loadCredentials.ts';

/** `leave`: ends the membership of this MDS. Its files are kept. */
export async function leave(context: Context, options: { json?: boolean }): Promise<number> {
  await refuseWhileRunning(
    () => ask(context, 'status', {}),
    'the agent is running: stop it first ("systemctl disable --now xivo-xds-sync-agent"), then leave',
  );
  const log = openLog('stderr');
  const credentials = loadCredentials(context, log.logger);
  let problem: string | undefined;
  try {
    await credentials.leave();
  } catch (error) {
    problem = error instanceof Error ? error.message : String(error);
  } finally {
    await log.close();
  }
  const { identityFolder } = context.places;
  removeIdentity(identityFolder);
  removeMembership(identityFolder);
  removeTrustedMain(context.places.installerFolder);
  if (options.json === true) printJson('leave', { left: true, problem: problem ?? null });
  else print('left Main: this host is no longer an MDS; its files are kept');
  if (problem === undefined) return EXIT.done;
  printError(
    `xivo-xds-sync-agent: Main could not be reached (${problem}): run "xivo-xds-sync mds remove ${credentials.name}" there`,
  );
  return EXIT.failed;
}
