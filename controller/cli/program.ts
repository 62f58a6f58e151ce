import type { Command } from 'commander';
import { type GlobalOptions, makeProgram, withExamples } from '#host/cli/program.ts';
import type { Shortcuts } from '#host/cli/commandLine.ts';
import { contextOf } from './context.ts';
import { declareDifferences } from './declare/differences.ts';
import { declareMain } from './declare/main.ts';
import { declareMds } from './declare/mds.ts';
import { declarePasses } from './declare/passes.ts';
import { declarePast } from './declare/past.ts';
import type { Run } from './declare/run.ts';

/** `xivo-xds-sync` alone synchronises, `-i` initialises. */
export const SHORTCUTS: Shortcuts = { fallback: 'sync', options: { '-i': 'init', '--init': 'init' } };

/** Main's command line: each group of commands is declared in a file of declare/, and loads its code when it runs. */
export function controllerProgram(): Command {
  const program = makeProgram(
    'xivo-xds-sync',
    'Keeps the files of every media server (MDS) of a XiVO equal to Main.',
  );
  const run: Run = {
    context: () => contextOf(program.opts<GlobalOptions>()),
    finish: (code) => {
      process.exitCode = code;
    },
  };
  declarePasses(program, run);
  declarePast(program, run);
  declareDifferences(program, run);
  declareMds(program, run);
  declareMain(program, run);
  // For the completion of a shell, not for people.
  program
    .command('complete', { hidden: true })
    .argument('<what>')
    .argument('[typed]')
    .action(async (what: string, typed = '') => {
      run.finish(await (await import('./completeCommand.ts')).complete(run.context(), what, typed));
    });
  return withExamples(program, [
    ['xivo-xds-sync -i', 'initialise Main ("init")'],
    ['xivo-xds-sync', 'synchronise every MDS now ("sync")'],
    ['xivo-xds-sync -n', 'show what that would do ("sync --dry-run")'],
    ['xivo-xds-sync status', 'what is wrong, since when, what to do'],
    ['xivo-xds-sync help status', 'options and examples of a command'],
  ]);
}
