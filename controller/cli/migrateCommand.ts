import { existsSync } from 'node:fs';
import { localTime } from '#host/time/localTime.ts';
import { EXIT } from '#host/cli/exitCodes.ts';
import { UsageError } from '#host/cli/usageError.ts';
import { print, printError } from '#host/cli/terminal.ts';
import { ask } from './ask.ts';
import type { Context } from './context.ts';
import { dryRun } from './syncCommand.ts';

/**
 * `migrate --compare`: what would differ on each MDS before anything is switched. Agents that were enrolled during a
 * pause have changed nothing yet, so what a pass would do there is the comparison.
 */
export async function migrate(
  context: Context,
  options: { compare?: boolean; mds?: string; json?: boolean },
): Promise<number> {
  if (options.compare !== true)
    throw new UsageError('nothing to do: add --compare to show what would change');
  const { main, mds } = await ask(context, 'status', {});
  if (options.json !== true) {
    const cron = context.places.oldCronFile;
    print(
      existsSync(cron)
        ? `the old rsync job is still active (${cron}). To disable it: xivo-xds-sync -i`
        : 'the old rsync job is off',
    );
    print(
      main.pausedUntil === null
        ? 'NOT paused: what is shown below is being done already. To compare first, "xivo-xds-sync pause" before an MDS is enrolled'
        : `paused until ${localTime(main.pausedUntil)}: nothing was changed yet, and "xivo-xds-sync resume" switches`,
    );
  }
  const code = await dryRun(context, options);
  const away = mds.filter(({ state }) => state === 'never-enrolled' || state === 'pending');
  for (const { name, state } of away) printError(`xivo-xds-sync: not compared: ${name} (${state})`);
  return away.length > 0 ? EXIT.failed : code;
}
