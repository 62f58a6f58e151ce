import { durationOption } from '#host/cli/options.ts';
import { EXIT } from '#host/cli/exitCodes.ts';
import { table } from '#host/cli/output/table.ts';
import { decodeToken } from '#host/identity/joinToken.ts';
import { print, printError } from '#host/cli/output/terminal.ts';
import { ask, printJson } from '../ask.ts';
import { NO_MDS } from '../synchronisation/syncCommand.ts';
import type { Context } from '../context.ts';
import { joinInstructions } from './joinInstructions.ts';
import { loadConfig } from '../loadConfig.ts';

/** `mds add`: prints a join token on standard output, and instructions on standard error. */
export async function mdsAdd(
  context: Context,
  name: string,
  options: { voipIp?: string; ttl: string; replace?: boolean; json?: boolean },
): Promise<number> {
  const { token } = await ask(context, 'mds-add', {
    name,
    voipIp: options.voipIp,
    ttlMs: durationOption(options.ttl, '--ttl'),
    replace: options.replace === true,
  });
  if (options.json === true) {
    printJson('mds add', { name, token });
    return EXIT.done;
  }
  print(token);
  for (const line of joinInstructions(decodeToken(token), loadConfig(context).listen)) printError(line);
  return EXIT.done;
}

/** `mds list`: every MDS that Main knows; those that were removed only with `--all`. */
export async function mdsList(context: Context, options: { all?: boolean; json?: boolean }): Promise<number> {
  const { mds: known } = await ask(context, 'mds-list', {});
  const mds = options.all === true ? known : known.filter(({ state }) => state !== 'revoked');
  if (options.json === true) {
    printJson('mds list', { mds });
    return EXIT.done;
  }
  const rows = mds.map(({ name, state, address, voipIp, agentVersion, inSync }) => [
    name,
    state,
    inSync ? 'yes' : 'no',
    address ?? '-',
    voipIp ?? '-',
    agentVersion ?? '-',
  ]);
  if (mds.length === 0) print(NO_MDS);
  else
    for (const line of table(['MDS', 'STATE', 'IN SYNC', 'ADDRESS', 'VOIP IP', 'VERSION'], rows)) print(line);
  for (const { name, fingerprint } of mds) {
    if (fingerprint !== null)
      print(
        `${name} asks to join. When it shows the fingerprint ${fingerprint}: xivo-xds-sync mds approve ${name}`,
      );
  }
  return EXIT.done;
}

/** `mds approve`: approves an MDS after a person has compared the fingerprints. */
export async function mdsApprove(
  context: Context,
  name: string,
  options: { json?: boolean },
): Promise<number> {
  await ask(context, 'mds-approve', { name });
  if (options.json === true) printJson('mds approve', { name });
  else print(`${name} is approved; its agent connects within seconds`);
  return EXIT.done;
}

/** `mds forget`: drops a removed MDS from lists and status. */
export async function mdsForget(
  context: Context,
  name: string,
  options: { json?: boolean },
): Promise<number> {
  await ask(context, 'mds-forget', { name });
  if (options.json === true) printJson('mds forget', { name });
  else print(`${name} forgotten: its key stays refused, and history keeps what it did`);
  return EXIT.done;
}

/** What became of what there was of it. */
const REMOVED = {
  enrolled: 'disconnected, key revoked',
  pending: 'its request to join is dropped',
  token: 'its join token is withdrawn; it was never enrolled with it',
} as const;

/** `mds remove`: revokes an MDS at once. */
export async function mdsRemove(
  context: Context,
  name: string,
  options: { json?: boolean },
): Promise<number> {
  const removed = await ask(context, 'mds-remove', { name });
  if (options.json === true) printJson('mds remove', removed);
  else print(`${name} removed: ${REMOVED[removed.was]}`);
  return EXIT.done;
}
