import { UsageError } from '#host/cli/usageError.ts';
import { loadIdentity } from '#host/identity/identityFiles.ts';
import type { Logger } from '#host/log/logger.ts';
import { systemClock } from '#host/time/clock.ts';
import { Credentials } from '../../connection/credentials.ts';
import { loadMembership } from '../../connection/membership.ts';
import type { Context } from '../context.ts';
import { loadConfig } from '../loadConfig.ts';

/** @throws UsageError when this MDS is not enrolled, or its configuration names no Main */
export function loadCredentials(context: Context, log: Logger): Credentials {
  const { main, localAddress } = loadConfig(context);
  const { identityFolder: folder } = context.places;
  const identity = loadIdentity(folder);
  const membership = loadMembership(folder);
  if (identity === undefined || membership === undefined) {
    throw new UsageError(
      'this MDS is not enrolled: run "xivo-xds-sync-agent enroll --main HOST --token-file FILE" first',
    );
  }
  if (main === undefined) throw new UsageError(`${context.configFile} does not name Main: add "main: HOST"`);
  return new Credentials({ folder, main, localAddress, identity, membership, clock: systemClock, log });
}
