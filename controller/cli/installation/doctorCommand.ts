import { type Check, exitCodeOf, renderChecks } from '#host/doctor/check.ts';
import { checkHost } from '#host/doctor/checkHost.ts';
import type { MdsStatus } from '../../control/contract/contract.ts';
import { print } from '#host/cli/output/terminal.ts';
import { findRemains } from '../../backup/remains.ts';
import { ask, printJson } from '../ask.ts';
import type { Context } from '../context.ts';
import { loadConfig } from '../loadConfig.ts';

/** A larger clock difference is reported, milliseconds: an unmeasured offset could decide a conflict wrongly. */
const MAX_OFFSET = 2_000;

/** `doctor`: checks everything that the controller needs, whether it runs or not. */
export async function doctor(context: Context, options: { json?: boolean }): Promise<number> {
  const { checks, isBlind } = checkHost({
    configFile: context.configFile,
    loadConfig: () => loadConfig(context),
    configRemedy: 'fix the file, or create it with xivo-xds-sync -i',
    identityFolder: context.places.identityFolder,
    locate: (path) => context.root.path(path),
    programsOf: () => [],
  });
  if (!isBlind) checks.push(...checkRemains(context), ...(await checkDaemon(context)));
  if (options.json === true) printJson('doctor', { checks });
  else for (const line of renderChecks(checks)) print(line);
  return exitCodeOf(checks);
}

/** What a killed `backup` or `restore` left can contain a copy of Main's private key. */
function checkRemains({ places }: Context): Check[] {
  return findRemains(places).map((path) => ({
    name: 'left behind',
    result: 'warning',
    detail: `${path}, by a backup or restore that was killed: it may contain Main's private key`,
    remedy: `rm -r '${path}' (the next backup or restore removes it, too)`,
  }));
}

async function checkDaemon(context: Context): Promise<Check[]> {
  try {
    const status = await ask(context, 'status', {});
    return [
      { name: 'controller', result: 'ok', detail: `running, listening on ${status.main.listen}` },
      ...status.mds.flatMap(checkMds),
    ];
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    // It says what to do, too.
    return [{ name: 'controller', result: 'failed', detail }];
  }
}

function checkMds({ name, state, address, inSync, clockOffsetMs }: MdsStatus): Check[] {
  if (state === 'revoked') return [];
  if (state !== 'connected') {
    const remedy = `look at xivo-xds-sync-agent on ${name}: its "doctor" says what is missing`;
    return [{ name: `MDS ${name}`, result: 'failed', detail: state, remedy }];
  }
  const checks: Check[] = [
    {
      name: `MDS ${name}`,
      result: inSync ? 'ok' : 'warning',
      detail: `connected from ${address ?? '?'}, ${inSync ? 'in sync' : 'not in sync'}`,
      remedy: '"xivo-xds-sync status" says why',
    },
  ];
  const offset = Math.abs(clockOffsetMs ?? 0);
  if (offset > MAX_OFFSET) {
    const detail = `${Math.round(offset / 1000)} s from Main's`;
    checks.push({
      name: `clock of ${name}`,
      result: 'warning',
      detail,
      remedy: 'synchronise the clocks (chrony or systemd-timesyncd) on both hosts',
    });
  }
  return checks;
}
