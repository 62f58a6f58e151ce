import { withExamples } from '#host/cli/program.ts';
import type { PruneOptions } from '../differences/pruneCommand.ts';
import { type Declare, JSON_OPTION } from './run.ts';

/** Declares `diff`, `adopt`, `revert` and `prune`, which show and resolve differences between an MDS and Main. */
export const declareDifferences: Declare = (program, { context, finish }) => {
  withExamples(
    program
      .command('diff <mds> [path]')
      .description('show how an MDS differs from Main: edits, local files, overrides, excluded names')
      .option(...JSON_OPTION)
      .action(async (mds: string, path: string | undefined, options: { json?: boolean }) => {
        finish(await (await import('../differences/diffCommand.ts')).diff(context(), mds, path, options));
      }),
    [
      ['xivo-xds-sync diff mds1', 'one line for each difference'],
      ['xivo-xds-sync diff mds1 dialplan/trunk.conf', "the text, line by line: - Main's, + mds1's"],
    ],
  );
  withExamples(
    program
      .command('adopt <mds> <path>')
      .description(
        "make an MDS's version Main's, and so every MDS's: a file, or every difference below a folder",
      )
      .option('-n, --dry-run', 'change nothing, show what would be adopted')
      .option(...JSON_OPTION)
      .action(async (mds: string, path: string, options: { dryRun?: boolean; json?: boolean }) => {
        finish(await (await import('../differences/adoptCommand.ts')).adopt(context(), mds, path, options));
      }),
    [
      ['xivo-xds-sync adopt mds1 dialplan/trunk.conf -n', 'show it'],
      ['xivo-xds-sync adopt mds1 dialplan/trunk.conf', 'an edit on mds1 was right: every MDS gets it'],
    ],
  );
  withExamples(
    program
      .command('revert <mds> <path>')
      .description("restore Main's version on an MDS; its own version goes to its trash")
      .option('-n, --dry-run', 'change nothing, show what would be reverted')
      .option(...JSON_OPTION)
      .action(async (mds: string, path: string, options: { dryRun?: boolean; json?: boolean }) => {
        finish(await (await import('../differences/adoptCommand.ts')).revert(context(), mds, path, options));
      }),
    [['xivo-xds-sync revert mds1 dialplan/trunk.conf', "restore Main's version on mds1"]],
  );
  withExamples(
    program
      .command('prune <mds> [path]')
      .description('show the local files of an MDS, and move them to its trash')
      .option('-n, --dry-run', 'only show them')
      .option('--yes', 'do not ask')
      .option(...JSON_OPTION)
      .action(async (mds: string, path: string | undefined, options: PruneOptions) => {
        finish(await (await import('../differences/pruneCommand.ts')).prune(context(), mds, path, options));
      }),
    [
      ['xivo-xds-sync prune mds1 -n', 'the local files of mds1'],
      ['xivo-xds-sync prune mds1 moh/old', 'only below that folder; asks first'],
    ],
  );
};
