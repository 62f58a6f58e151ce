import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT } from '#host/cli/exitCodes.ts';
import { durationOption } from '#host/cli/options.ts';
import { clearScreen, print } from '#host/cli/output/terminal.ts';
import { UsageError } from '#host/cli/usageError.ts';
import { NotRunning } from '#host/control/controlClient.ts';
import type { Status } from '../../control/contract/contract.ts';
import { askStatus, printJson } from '../ask.ts';
import type { Context } from '../context.ts';
import { judge, PLUGIN, type PluginResult, pluginResult } from './check.ts';
import { render } from './render.ts';

const WATCH_EVERY = 1_000;

export type StatusOptions = {
  readonly mds?: string;
  readonly json?: boolean;
  readonly watch?: boolean;
  readonly check?: boolean;
  readonly maxBehind?: string;
};

/** `status`: the state of Main and every MDS, with problems and remedies. */
export async function status(context: Context, options: StatusOptions): Promise<number> {
  if (options.check === true) return check(context, options);
  if (options.maxBehind !== undefined) throw new UsageError('--max-behind needs --check');
  for (;;) {
    const now = await askStatus(context, options.mds);
    if (options.watch === true) clearScreen();
    if (options.json === true) printJson('status', now);
    else for (const line of render(now, Date.now())) print(line);
    if (options.watch !== true) return isWell(now) ? EXIT.done : EXIT.failed;
    await sleep(WATCH_EVERY);
  }
}

/** A revoked MDS is no problem. */
function isWell({ mds, main }: Status): boolean {
  return mds.every(({ inSync, state }) => inSync || state === 'revoked') && main.errors.length === 0;
}

/** `status --check`: a monitoring plugin, which reports errors as results, too. */
async function check(context: Context, options: StatusOptions): Promise<number> {
  const { code, lines } = await judged(context, options);
  if (options.json === true) printJson('status', { code, lines });
  else for (const line of lines) print(line);
  return code;
}

async function judged(
  context: Context,
  { mds, maxBehind = '5m', watch }: StatusOptions,
): Promise<PluginResult> {
  try {
    if (watch === true) throw new UsageError('--check and --watch cannot be used together');
    const limit = durationOption(maxBehind, '--max-behind');
    return judge(await askStatus(context, mds), limit, Date.now());
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return pluginResult(error instanceof NotRunning ? PLUGIN.critical : PLUGIN.unknown, reason);
  }
}
