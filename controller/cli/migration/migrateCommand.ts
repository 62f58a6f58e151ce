import { differenceLines } from '#host/cli/output/differenceLines.ts';
import { EXIT } from '#host/cli/exitCodes.ts';
import { print, printError } from '#host/cli/output/terminal.ts';
import { UsageError } from '#host/cli/usageError.ts';
import { localTime } from '#host/time/localTime.ts';
import { isForGood } from '../../conditions/forGood.ts';
import type { Result } from '../../control/contract/contract.ts';
import { ask, printJson } from '../ask.ts';
import type { Context } from '../context.ts';
import { exitCode, NO_MDS, planLines } from '../synchronisation/syncCommand.ts';
import { oldJob, restoreOldJob } from './oldJob.ts';
import { pauseForGood } from './startPaused.ts';

export type MigrateOptions = {
  readonly compare?: boolean;
  readonly back?: boolean;
  readonly dryRun?: boolean;
  readonly mds?: string;
  readonly json?: boolean;
};

/** `migrate`: prepares the switch from the old rsync job, or goes back to it. */
export async function migrate(context: Context, options: MigrateOptions): Promise<number> {
  const { compare = false, back = false } = options;
  if (compare === back)
    throw new UsageError('add --compare to show what would change, or --back to return to the old rsync job');
  if (compare && options.dryRun === true)
    throw new UsageError('--compare changes nothing: -n belongs to --back');
  if (back && options.mds !== undefined) throw new UsageError('--mds belongs to --compare');
  return compare ? compareAll(context, options) : goBack(context, options);
}

/**
 * Shows what would change on each MDS before the switch, and its local files. Agents that enrolled during a pause have
 * changed nothing yet, so a dry run is the comparison.
 */
async function compareAll(context: Context, options: MigrateOptions): Promise<number> {
  const { main, mds } = await ask(context, 'status', { mds: options.mds });
  const passes = await ask(context, 'plan', { mds: options.mds });
  const job = oldJob(context.places);
  const local: {
    name: string;
    files: Result<'diff'>['differences'];
    more: number;
    problems: readonly string[];
  }[] = [];
  for (const { name, ok, problems } of passes.mds) {
    if (!ok && problems.length > 0) continue;
    try {
      const { differences, more, problems: wrong } = await ask(context, 'diff', { mds: name });
      const files = differences.filter(({ kind }) => kind === 'local' || kind === 'override');
      local.push({ name, files, more, problems: wrong });
    } catch (error) {
      // An older agent can compare, but can not list local files.
      local.push({
        name,
        files: [],
        more: 0,
        problems: [error instanceof Error ? error.message : String(error)],
      });
    }
  }
  if (options.json === true)
    printJson('migrate', { oldJob: job, pausedUntil: main.pausedUntil, ...passes, local });
  else {
    const cron = context.places.oldCronFile;
    print(
      job === 'on'
        ? `the old rsync job is still active (${cron}). To disable it: xivo-xds-sync ${main.pausedUntil === null ? '-i' : 'resume'}`
        : 'the old rsync job is off',
    );
    print(
      main.pausedUntil === null
        ? 'NOT paused: what is shown below is being done already. To compare first, "xivo-xds-sync pause" before an MDS is enrolled'
        : `paused until ${isForGood(main.pausedUntil) ? 'it is resumed' : localTime(main.pausedUntil)}: until then, no file is changed on any host; to switch: xivo-xds-sync resume`,
    );
    if (passes.mds.length === 0) print(NO_MDS);
    for (const line of planLines(passes.mds)) print(line);
    if (passes.mds.some(({ actions }) => actions.length > 0))
      print('what is replaced or removed on an MDS goes to its trash: xivo-xds-sync trash list');
    for (const { name, files, more, problems } of local) {
      if (files.length > 0) {
        print();
        print(`local files of ${name} are kept (to remove them later: xivo-xds-sync prune ${name}):`);
        for (const line of differenceLines(name, files)) print(line);
      }
      if (more > 0) print(`and ${more} more: xivo-xds-sync diff ${name}`);
      for (const problem of problems)
        printError(`xivo-xds-sync: local files of ${name} are not listed: ${problem}`);
    }
  }
  const code = exitCode(passes.mds);
  const away = mds.filter(({ state }) => state === 'never-enrolled' || state === 'pending');
  for (const { name, state } of away) printError(`xivo-xds-sync: not compared: ${name} (${state})`);
  return away.length > 0 ? EXIT.failed : code;
}

/** Turns the old job on again and pauses this program. Root restores the ssh key on each MDS. */
async function goBack(context: Context, options: MigrateOptions): Promise<number> {
  const { places } = context;
  const job = oldJob(places);
  if (job === 'none')
    throw new UsageError(
      `there is nothing to go back to: neither ${places.oldCronFile} nor ${places.oldCronFile}.retired exists`,
    );
  const dryRun = options.dryRun === true;
  if (!dryRun) await pauseForGood(context);
  const said = job === 'on' ? `the old rsync job is on (${places.oldCronFile})` : undefined;
  const done = dryRun ? said : (said ?? restoreOldJob(places));
  if (options.json === true) printJson('migrate', { dryRun, oldJob: dryRun ? job : 'on', paused: !dryRun });
  else {
    if (dryRun)
      print(`nothing was changed: synchronisation would pause, and ${places.oldCronFile} would come back`);
    else {
      print('synchronisation is paused until "xivo-xds-sync resume"');
      print(done);
    }
    print('The key of the old job may not log in to the MDS any more. On each MDS, as root, to put it back:');
    print('  /usr/share/xivo-xds-sync-agent/mds_install.sh --old-key');
  }
  return EXIT.done;
}
