import { LIMIT_OPTION } from '#host/cli/historyLimits.ts';
import { withExamples } from '#host/cli/program.ts';
import type { MainHistoryOptions } from '../past/historyCommand.ts';
import type { RestoreOptions } from '../past/trashCommands.ts';
import { type Declare, JSON_OPTION, MDS_OPTION } from './run.ts';

/** Declares `history`, `trash` and `rollback`. */
export const declarePast: Declare = (program, { context, finish }) => {
  withExamples(
    program
      .command('history')
      .description('show what was done, when, and why')
      .option(...MDS_OPTION)
      .option('--directory <name>', 'only this directory')
      .option('--path <path>', 'only this path and everything below it')
      .option('--changeset <id>', 'only this change set')
      .option('--since <time>', 'only since this time, such as "2026-11-24 10:00", yesterday or 2h (ago)')
      .option('--until <time>', 'before then')
      .option('--follow', 'wait for new entries until interrupted')
      .option(...LIMIT_OPTION)
      .option(...JSON_OPTION)
      .action(async (options: MainHistoryOptions) => {
        finish(await (await import('../past/historyCommand.ts')).history(context(), options));
      }),
    [
      ['xivo-xds-sync history --limit 20', 'the last 20 entries'],
      ['xivo-xds-sync history --since "2026-11-24" --until "2026-11-25"', 'who did what on that day'],
      ['xivo-xds-sync history --path moh/album --follow', 'what happens to a folder'],
    ],
  );
  withExamples(
    program
      .command('rollback <changeset>')
      .description('restore a directory to its state before a change set, on Main and every MDS')
      .option('-n, --dry-run', 'change nothing, show what would be done')
      .option(...JSON_OPTION)
      .action(async (changeSet: string, options: { dryRun?: boolean; json?: boolean }) => {
        finish(await (await import('../past/rollbackCommand.ts')).rollback(context(), changeSet, options));
      }),
    [['xivo-xds-sync rollback 20261124T171320570Z-8fcb92570 -n', 'show what that would change']],
  );
  const trash = program.command('trash').description('list or restore replaced and removed files');
  withExamples(
    trash
      .command('list')
      .description('list what can be restored')
      .option('--mds <name>', 'only on this MDS')
      .option(...JSON_OPTION)
      .action(async (options: { mds?: string; json?: boolean }) => {
        finish(await (await import('../past/trashCommands.ts')).trashList(context(), options));
      }),
    [['xivo-xds-sync trash list --mds mds1', 'the trash of mds1']],
  );
  withExamples(
    trash
      .command('restore <path>')
      .description(
        'restore a file, everything removed below a folder, or what a change set removed or replaced',
      )
      .option('--from <mds>', 'from the trash of this MDS, there')
      .option('--mds <name>', 'the same as --from')
      .option('--to-main', 'with --from: restore to Main, and so everywhere')
      .option('--as <path>', 'under another name')
      .option('--at <time>', 'the version of this time, such as "2026-11-24 10:00" or 2h (ago)')
      .option('-n, --dry-run', 'change nothing, show what would be restored')
      .option(...JSON_OPTION)
      .action(async (path: string, options: RestoreOptions) => {
        finish(await (await import('../past/trashCommands.ts')).trashRestore(context(), path, options));
      }),
    [
      ['xivo-xds-sync trash restore recordings/100-1.wav', 'its last version on Main'],
      ['xivo-xds-sync trash restore /var/lib/xivo/moh/album', 'all that was removed below this folder'],
      ['xivo-xds-sync trash restore moh --at yesterday -n', 'show what moh had then'],
      [
        'xivo-xds-sync trash restore dialplan/trunk.conf --from mds1 --to-main',
        'restore to every host what only mds1 has',
      ],
      [
        'xivo-xds-sync trash restore moh/default/old.wav --from mds1 --as moh/default/found.wav',
        'on mds1, under another name',
      ],
    ],
  );
};
