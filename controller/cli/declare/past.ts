import { withExamples } from '#host/cli/program.ts';
import { type Declare, JSON_OPTION, MDS_OPTION } from './run.ts';

/** `history`, `trash`, `rollback`: what was done, and taking it back. */
export const declarePast: Declare = (program, { context, finish }) => {
  withExamples(
    program
      .command('history')
      .description('show what was done, when, and why')
      .option(...MDS_OPTION)
      .option('--limit <n>', 'show the N most recent entries', '50')
      .option(...JSON_OPTION)
      .action(async (options: { mds?: string; limit: string; json?: boolean }) => {
        finish(await (await import('../historyCommand.ts')).history(context(), options));
      }),
    [['xivo-xds-sync history --limit 20', 'the last 20 entries']],
  );
  withExamples(
    program
      .command('rollback <changeset>')
      .description('bring the dialplan back to how it was before a change set, on Main and every MDS')
      .option('-n, --dry-run', 'change nothing, show what would be done')
      .option(...JSON_OPTION)
      .action(async (changeSet: string, options: { dryRun?: boolean; json?: boolean }) => {
        finish(await (await import('../rollbackCommand.ts')).rollback(context(), changeSet, options));
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
        finish(await (await import('../trashCommands.ts')).trashList(context(), options));
      }),
    [['xivo-xds-sync trash list --mds mds1', 'what lies in the trash of mds1']],
  );
  withExamples(
    trash
      .command('restore <path>')
      .description('restore the newest version of a path (or the item with this id), on Main or on an MDS')
      .option('--mds <name>', 'on this MDS')
      .option('--as <path>', 'under another name')
      .option(...JSON_OPTION)
      .action(async (path: string, options: { mds?: string; as?: string; json?: boolean }) => {
        finish(await (await import('../trashCommands.ts')).trashRestore(context(), path, options));
      }),
    [
      ['xivo-xds-sync trash restore recordings/100-1.wav', 'from the trash of Main'],
      [
        'xivo-xds-sync trash restore moh/default/old.wav --mds mds1 --as moh/default/found.wav',
        'on mds1, under another name',
      ],
    ],
  );
};
