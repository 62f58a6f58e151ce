import type { Command } from 'commander';
import { LIMIT_OPTION } from '#host/cli/historyLimits.ts';
import { withExamples } from '#host/cli/program.ts';
import type { Context } from '../context.ts';
import type { HistoryOptions } from '#host/cli/historyOptions.ts';

/** Declares `history`, `trash`, `why` and `diff`, which also work while Main is unreachable. */
export function declareQuestions(
  program: Command,
  context: () => Context,
  finish: (code: number) => void,
): void {
  withExamples(
    program
      .command('history')
      .description('show what was done on this MDS, when, and why')
      .option('--directory <name>', 'only this directory')
      .option('--path <path>', 'only this path and everything below it')
      .option('--changeset <id>', 'only this change set')
      .option('--since <time>', 'only since this time, such as "2026-11-24 10:00", yesterday or 2h (ago)')
      .option('--until <time>', 'before then')
      .option(...LIMIT_OPTION)
      .option('--json', 'print JSON')
      .action(async (options: HistoryOptions) => {
        finish(await (await import('./pastCommands.ts')).history(context(), options));
      }),
    [['xivo-xds-sync-agent history --since 2h', 'the last two hours']],
  );
  const trash = program
    .command('trash')
    .description('list or restore replaced and removed files of this MDS');
  withExamples(
    trash
      .command('list')
      .description('list what can be restored')
      .option('--json', 'print JSON')
      .action(async (options: { json?: boolean }) => {
        finish(await (await import('./pastCommands.ts')).trashList(context(), options));
      }),
    [['xivo-xds-sync-agent trash list', 'newest first']],
  );
  withExamples(
    trash
      .command('restore <path>')
      .description('restore a path, or the item with an id, on this MDS only')
      .option('--as <path>', 'under another name')
      .option('--json', 'print JSON')
      .action(async (path: string, options: { as?: string; json?: boolean }) => {
        finish(await (await import('./pastCommands.ts')).trashRestore(context(), path, options));
      }),
    [
      [
        'xivo-xds-sync-agent trash restore dialplan/trunk.conf --as dialplan/xds_override_trunk.conf',
        'an edit that was undone, kept as an override',
      ],
    ],
  );
  withExamples(
    program
      .command('why <path>')
      .description('explain what happens to a file on this MDS, and why')
      .option('--json', 'print JSON')
      .action(async (path: string, options: { json?: boolean }) => {
        finish(await (await import('./compareCommands.ts')).why(context(), path, options));
      }),
    [['xivo-xds-sync-agent why /var/lib/xivo/moh/default/new.wav', 'an absolute path, or directory/path']],
  );
  withExamples(
    program
      .command('diff [path]')
      .description('show how this MDS differs from Main: edits, local files, overrides, excluded names')
      .option('--json', 'print JSON')
      .action(async (path: string | undefined, options: { json?: boolean }) => {
        finish(await (await import('./compareCommands.ts')).diff(context(), path, options));
      }),
    [
      ['xivo-xds-sync-agent diff', 'one line for each difference'],
      ['xivo-xds-sync-agent diff dialplan/trunk.conf', "an edit that Main's version replaced"],
    ],
  );
}
