import { type GlobalOptions, makeProgram, runProgram } from '#host/cli/program.ts';
import { type Context, contextOf } from './cli/context.ts';

const program = makeProgram('xivo-xds-sync-agent', "Keeps this media server's (MDS) files equal to Main's.");
const context = (): Context => contextOf(program.opts<GlobalOptions>());
const finish = (code: number): void => {
  process.exitCode = code;
};

program
  .command('enroll')
  .alias('enrol')
  .description('make this host an MDS of a Main')
  .requiredOption('--main <host:port>', 'where Main is')
  .option(
    '--token-file <file>',
    'the join token from "xivo-xds-sync mds add", in a file or - for standard input',
  )
  .option('--name <name>', "this MDS's name (default: the token's, else the host's)")
  .action(async (_options: unknown, command) => {
    finish(await (await import('./cli/enrollCommand.ts')).enroll(context(), command.optsWithGlobals()));
  });

program
  .command('run')
  .description('run the agent in the foreground')
  .action(async (_options: unknown, command) => {
    finish(await (await import('./cli/runCommand.ts')).run(context(), command.optsWithGlobals()));
  });

program
  .command('doctor')
  .description('look at limits, disk, permissions, certificates and whether Main can be reached')
  .option('--json', 'print JSON')
  .action(async (_options: unknown, command) => {
    finish(await (await import('./cli/doctorCommand.ts')).doctor(context(), command.optsWithGlobals()));
  });

program
  .command('check-config [file]')
  .description('check the configuration as the next start or reload would read it; changes nothing')
  .option('--json', 'print JSON')
  .action(async (file: string | undefined, _options: unknown, command) => {
    const { checkConfiguration } = await import('./cli/checkConfigCommand.ts');
    finish(checkConfiguration(context(), file, command.optsWithGlobals()));
  });

program
  .command('leave')
  .description('be no MDS any more: Main is told, the key is removed, the files stay')
  .action(async () => finish(await (await import('./cli/leaveCommand.ts')).leave(context())));

program
  .command('trust-main')
  .description(
    'let what Main signs be installed here by "xivo-xds-sync mds upgrade"; mds_install.sh does this',
  )
  .action(async () => finish((await import('./cli/trustMainCommand.ts')).trust(context())));

// For the unit xivo-xds-sync-agent-upgrade.service, not for people.
program
  .command('install-upgrade', { hidden: true })
  .option('--agent <pid>', 'the agent that runs without systemd')
  .action(async (options: { agent?: string }) => {
    finish(await (await import('./cli/installUpgradeCommand.ts')).installUpgrade(context(), options));
  });

program
  .command('status')
  .description('how this MDS is')
  .option('--json', 'print JSON')
  .action(async (_options: unknown, command) => {
    finish(await (await import('./cli/statusCommand.ts')).status(context(), command.optsWithGlobals()));
  });

process.exitCode = await runProgram(program, process.argv.slice(2));
