import type { Command } from 'commander';
import { type GlobalOptions, makeProgram, withExamples } from '#host/cli/program.ts';
import { declareQuestions } from './questions/questions.ts';
import { type Context, contextOf } from './context.ts';

type EnrollOptions = { main?: string; tokenFile?: string; name?: string; json?: boolean };

/** The command line of an MDS; each command loads its code when it runs. */
export function agentProgram(): Command {
  const program = makeProgram(
    'xivo-xds-sync-agent',
    "Keeps this media server's (MDS) files equal to Main's.",
  );
  const context = (): Context => contextOf(program.opts<GlobalOptions>());
  const finish = (code: number): void => {
    process.exitCode = code;
  };

  withExamples(
    program
      .command('enroll')
      .alias('enrol')
      .description('enrol this host as an MDS of Main')
      .requiredOption('--main <host:port>', "Main's address")
      .option(
        '--token-file <file>',
        'the join token from "xivo-xds-sync mds add", in a file or - for standard input',
      )
      .option('--name <name>', "this MDS's name (default: the token's, else the host's)")
      .option('--json', 'print JSON')
      .action(async (options: EnrollOptions) => {
        finish(await (await import('./membership/enrollCommand.ts')).enroll(context(), options));
      }),
    [
      ['xivo-xds-sync-agent enroll --main main.example --token-file token', 'with the token in a file'],
      ['xivo-xds-sync-agent enroll --main main.example', 'without one: a person approves it on Main'],
    ],
  );
  withExamples(
    program
      .command('run')
      .description('run the agent in the foreground')
      .action(async () => {
        const { log } = program.opts<{ log?: string }>();
        finish(await (await import('./runCommand.ts')).run(context(), log));
      }),
    [['xivo-xds-sync-agent --log stderr run', 'with the log on the terminal']],
  );
  withExamples(
    program
      .command('status')
      .description('show the state of this MDS')
      .option('--json', 'print JSON')
      .action(async (options: { json?: boolean }) => {
        finish(await (await import('./statusCommand.ts')).status(context(), options));
      }),
    [['xivo-xds-sync-agent status', 'connection, directories, errors']],
  );
  withExamples(
    program
      .command('doctor')
      .description('check limits, disk, permissions, certificates and whether Main can be reached')
      .option('--json', 'print JSON')
      .action(async (options: { json?: boolean }) => {
        finish(await (await import('./doctorCommand.ts')).doctor(context(), options));
      }),
    [['xivo-xds-sync-agent doctor', 'each failed check with its remedy']],
  );
  declareQuestions(program, context, finish);
  withExamples(
    program
      .command('check-config [file]')
      .description('check the configuration files without applying them')
      .option('--json', 'print JSON')
      .action(async (file: string | undefined, options: { json?: boolean }) => {
        const { checkConfiguration } = await import('./checkConfigCommand.ts');
        finish(checkConfiguration(context(), file, options));
      }),
    [['xivo-xds-sync-agent check-config', 'before "systemctl reload xivo-xds-sync-agent"']],
  );
  withExamples(
    program
      .command('leave')
      .description('leave Main: remove the key and tell Main; files are kept')
      .option('--json', 'print JSON')
      .action(async (options: { json?: boolean }) => {
        finish(await (await import('./membership/leaveCommand.ts')).leave(context(), options));
      }),
    [['xivo-xds-sync-agent leave', 'after "systemctl disable --now xivo-xds-sync-agent"']],
  );
  withExamples(
    program
      .command('trust-main')
      .description(
        'allow Main to install agent upgrades here ("xivo-xds-sync mds upgrade"); mds_install.sh does this',
      )
      .option('--json', 'print JSON')
      .action(async (options: { json?: boolean }) => {
        finish((await import('./membership/trustMainCommand.ts')).trust(context(), options));
      }),
    [['xivo-xds-sync-agent trust-main', 'after an enrolment without a token']],
  );
  // For the unit xivo-xds-sync-agent-upgrade.service, not for people.
  program
    .command('install-upgrade', { hidden: true })
    .option('--agent <pid>', 'the agent that runs without systemd')
    .action(async (options: { agent?: string }) => {
      finish(await (await import('./installUpgradeCommand.ts')).installUpgrade(context(), options));
    });
  // For the completion of a shell, not for people.
  program
    .command('complete', { hidden: true })
    .argument('<what>')
    .argument('[typed]')
    .action(async (what: string, typed = '') => {
      finish(await (await import('./completeCommand.ts')).complete(context(), what, typed));
    });
  return withExamples(program, [
    ['xivo-xds-sync-agent status', 'connection, directories, errors'],
    ['xivo-xds-sync-agent help enroll', 'options and examples of a command'],
  ]);
}
