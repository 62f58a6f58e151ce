import { EXIT } from '#host/cli/exitCodes.ts';
import { UsageError } from '#host/cli/usageError.ts';
import { askDaemon, NotRunning } from '#host/control/controlClient.ts';
import { removeIdentity } from '#host/identity/identityFiles.ts';
import { openLog } from '#host/log/openLog.ts';
import { trustNobody } from '../upgrade/trustedMain.ts';
import { removeMembership } from '../connection/membership.ts';
import { type Context, print } from './context.ts';
import { loadCredentials } from './loadCredentials.ts';

/** `leave`: this host is no MDS any more. Its files stay as they are. */
export async function leave(context: Context): Promise<number> {
  await refuseWhileRunning(context);
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
  trustNobody(context.places.installerFolder);
  print('this host is no MDS of that Main any more; its files stay as they are');
  if (problem === undefined) return EXIT.done;
  process.stderr.write(
    `xivo-xds-sync-agent: Main could not be told (${problem}): run "xivo-xds-sync mds remove ${credentials.name}" there\n`,
  );
  return EXIT.failed;
}

async function refuseWhileRunning({ places }: Context): Promise<void> {
  try {
    await askDaemon(places.controlSocket, 'status', {}, '');
  } catch (error) {
    if (error instanceof NotRunning) return;
    throw error;
  }
  throw new UsageError(
    'the agent is running: stop it first ("systemctl disable --now xivo-xds-sync-agent"), then leave',
  );
}
