import { EXIT } from '#host/cli/exitCodes.ts';
import { UsageError } from '#host/cli/usageError.ts';
import { loadMembership } from '../../connection/membership.ts';
import { trustMain } from '../../upgrade/trustedMain.ts';
import { print } from '#host/cli/output/terminal.ts';
import { printJson } from '../ask.ts';
import type { Context } from '../context.ts';

/**
 * `trust-main`: trusts the key of Main for packages, at a person's request. Needed after an enrolment without a token,
 * and after a change of Main's key: the agent must not decide this itself.
 */
export function trust({ places }: Context, options: { json?: boolean }): number {
  const membership = loadMembership(places.identityFolder);
  if (membership === undefined || !membership.approved)
    throw new UsageError('this MDS is not enrolled: run "xivo-xds-sync-agent enroll --main HOST" first');
  trustMain(places.installerFolder, membership.mainPin);
  if (options.json === true) printJson('trust-main', { trusted: true });
  else print('Main may now install agent upgrades on this host');
  return EXIT.done;
}
