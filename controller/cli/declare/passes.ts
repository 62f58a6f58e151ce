import { withExamples } from '#host/cli/program.ts';
import type { StatusOptions } from '../status/statusCommand.ts';
import type { ConfirmOptions } from '../synchronisation/confirmCommand.ts';
import { type Declare, JSON_OPTION, MDS_OPTION } from './run.ts';

/** Declares `sync`, `status`, `verify`, `why` and `confirm`. */
export const declarePasses: Declare = (program, { context, finish }) => {
  withExamples(
    program
      .command('sync')
      .description('run a full synchronisation of every MDS now (default when no command is given)')
      .option('-n, --dry-run', 'change nothing, show what would be done')
      .option(...MDS_OPTION)
      .option(...JSON_OPTION)
      .action(async (options: { dryRun?: boolean; mds?: string; json?: boolean }) => {
        const commands = await import('../synchronisation/syncCommand.ts');
        finish(await (options.dryRun === true ? commands.dryRun : commands.sync)(context(), options));
      }),
    [
      ['xivo-xds-sync', 'synchronise every MDS now'],
      ['xivo-xds-sync -n', 'show what that would do'],
      ['xivo-xds-sync sync --mds mds1', 'only mds1'],
    ],
  );
  withExamples(
    program
      .command('status')
      .description('show the state of Main and every MDS: what is wrong, since when, what to do')
      .option(...MDS_OPTION)
      .option(...JSON_OPTION)
      .option('--watch', 'refresh continuously until interrupted')
      .option('--check', 'for monitoring: one line and exit code 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN')
      .option('--max-behind <duration>', 'with --check: how long an MDS may be behind or away (default: 5m)')
      .action(async (options: StatusOptions) => {
        finish(await (await import('../status/statusCommand.ts')).status(context(), options));
      }),
    [
      ['xivo-xds-sync status', 'all at a glance, worst first'],
      ['xivo-xds-sync status --watch', 'refreshed until Ctrl-C'],
      ['xivo-xds-sync status --json', 'for programs'],
      [
        'xivo-xds-sync status --check --mds mds1 --max-behind 5m',
        'for monitoring; members of adm may run it',
      ],
    ],
  );
  withExamples(
    program
      .command('verify')
      .description('read every byte again on Main and on every MDS, and compare')
      .option(...MDS_OPTION)
      .option(...JSON_OPTION)
      .action(async (options: { mds?: string; json?: boolean }) => {
        finish(await (await import('../synchronisation/verifyCommand.ts')).verify(context(), options));
      }),
    [['xivo-xds-sync verify --mds mds1', 'compare mds1 with Main']],
  );
  withExamples(
    program
      .command('why <path>')
      .description('explain what happens to a file on each MDS, and why')
      .option(...MDS_OPTION)
      .option(...JSON_OPTION)
      .action(async (path: string, options: { mds?: string; json?: boolean }) => {
        finish(await (await import('../synchronisation/whyCommand.ts')).why(context(), path, options));
      }),
    [
      ['xivo-xds-sync why /var/lib/xivo/moh/default/new.wav', 'an absolute path'],
      ['xivo-xds-sync why dialplan/trunk.conf --mds mds1', 'a directory and a path in it'],
    ],
  );
  withExamples(
    program
      .command('confirm <directory>')
      .description('show what is on hold in a directory, and allow it, once')
      .option(...MDS_OPTION)
      .option('-n, --dry-run', 'only show it')
      .option('--yes', 'do not ask')
      .option(...JSON_OPTION)
      .action(async (directory: string, options: ConfirmOptions) => {
        finish(
          await (await import('../synchronisation/confirmCommand.ts')).confirm(context(), directory, options),
        );
      }),
    [
      ['xivo-xds-sync confirm moh -n', 'what would be removed'],
      ['xivo-xds-sync confirm moh', 'everywhere'],
      ['xivo-xds-sync confirm moh --mds mds1', 'only on mds1'],
    ],
  );
};
