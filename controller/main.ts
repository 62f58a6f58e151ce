import type { Command } from 'commander';
import type { RotateOptions } from './cli/rotateCommand.ts';
import { parseDuration } from '#core/text/duration.ts';
import { makeProgram, type GlobalOptions, runProgram } from '#host/cli/program.ts';
import { UsageError } from '#host/cli/usageError.ts';
import { ask, type Context, contextOf, print } from './cli/context.ts';

const program = makeProgram(
  'xivo-xds-sync',
  'Keeps the files of every media server (MDS) of a XiVO equal to Main.',
);
const context = (): Context => contextOf(program.opts<GlobalOptions>());
const finish = (code: number): void => {
  process.exitCode = code;
};

type SyncOptions = { dryRun?: boolean; mds?: string; json?: boolean };

async function runSync(options: SyncOptions): Promise<void> {
  const commands = await import('./cli/syncCommand.ts');
  finish(await (options.dryRun === true ? commands.dryRun : commands.sync)(context(), options));
}

program
  .allowExcessArguments()
  .option('-i, --init', 'make Main ready: the same as "init"')
  .option('-n, --dry-run', 'show what a pass would do: the same as "sync --dry-run"')
  .option('--host <name>', "with -i: the name in Main's certificate")
  .option('--listen <addr:port>', 'with -i: where agents connect to')
  .option('--no-service', 'with -i: do not enable the service')
  .option('--mds <name>', 'with a pass: only this MDS')
  .option('--json', 'with a pass: print JSON')
  .action(
    async (
      options: SyncOptions & { init?: boolean; host?: string; listen?: string; service?: boolean },
      command: Command,
    ) => {
      const [unknown] = command.args;
      if (unknown !== undefined) throw new UsageError(`there is no command "${unknown}": see --help`);
      if (options.init === true)
        finish(await (await import('./cli/initCommand.ts')).init(context(), options));
      else await runSync(options);
    },
  );

program
  .command('init')
  .description("make Main's identity and configuration, publish the public part, enable the service")
  .option('--host <name>', "the name in Main's certificate")
  .option('--listen <addr:port>', 'where agents connect to')
  .option('--no-service', 'do not enable the service')
  .action(async (_options: unknown, command) => {
    finish(await (await import('./cli/initCommand.ts')).init(context(), command.optsWithGlobals()));
  });

program
  .command('sync')
  .description('one full pass now to every MDS (also: no command)')
  .option('-n, --dry-run', 'change nothing, show what would be done')
  .option('--mds <name>', 'only this MDS')
  .option('--json', 'print JSON')
  .action(async (_options: unknown, command) => runSync(command.optsWithGlobals()));

program
  .command('serve')
  .description('run the controller in the foreground')
  .action(async (_options: unknown, command) => {
    finish(await (await import('./cli/serveCommand.ts')).serve(context(), command.optsWithGlobals()));
  });

program
  .command('status')
  .description('Main and every MDS at a glance')
  .option('--json', 'print JSON')
  .option('--watch', 'print again and again')
  .action(async (_options: unknown, command) => {
    finish(await (await import('./cli/statusCommand.ts')).status(context(), command.optsWithGlobals()));
  });

const mds = program.command('mds').description('who may connect').exitOverride();
mds
  .command('add <name>')
  .description('print a one-use join token for a new MDS')
  .option('--voip-ip <ip>', 'the token only works from this address')
  .option('--ttl <duration>', 'how long the token works', '1h')
  .option('--replace', 'the MDS is enrolled already and was installed anew', false)
  .exitOverride()
  .action(async (name: string, options: { voipIp?: string; ttl: string; replace: boolean }) => {
    const { token } = (await ask(context(), 'mds-add', {
      name,
      voipIp: options.voipIp,
      ttlMs: duration(options.ttl, '--ttl'),
      replace: options.replace,
    })) as { token: string };
    print(token);
    const { joinInstructions } = await import('./cli/joinInstructions.ts');
    const { loadConfig } = await import('./cli/loadConfig.ts');
    const { decodeToken } = await import('#host/identity/joinToken.ts');
    process.stderr.write(joinInstructions(decodeToken(token), loadConfig(context()).listen));
  });
mds
  .command('list')
  .description('every MDS that Main knows')
  .option('--json', 'print JSON')
  .exitOverride()
  .action(async (_options: unknown, command) => {
    const { mdsList } = await import('./cli/mdsCommands.ts');
    await mdsList(context(), command.optsWithGlobals());
  });
mds
  .command('approve <name>')
  .description('let an MDS in that asked without a token, after comparing fingerprints')
  .exitOverride()
  .action(async (name: string) => {
    await ask(context(), 'mds-approve', { name });
    print(`${name} is enrolled: its agent begins within seconds`);
  });
mds
  .command('upgrade [name]')
  .description("bring the agent of an MDS to Main's version, or with --all every one: the canaries first")
  .option('--all', 'every MDS; the first failure ends it')
  .option('--json', 'print JSON')
  .exitOverride()
  .action(async (name: string | undefined, _options: unknown, command) => {
    const { upgrade } = await import('./cli/upgradeCommand.ts');
    finish(await upgrade(context(), name, command.optsWithGlobals()));
  });
mds
  .command('remove <name>')
  .description("end an MDS's right to connect, at once")
  .exitOverride()
  .action(async (name: string) => {
    await ask(context(), 'mds-remove', { name });
    print(`${name} was removed: its connection is closed and its key is refused`);
  });

program
  .command('backup <file>')
  .description("write Main's identity, registry, configuration and state into one file")
  .action(async (file: string) => {
    finish(await (await import('./cli/backupCommands.ts')).backup(context(), file));
  });

program
  .command('restore <file>')
  .description('be the Main that was backed up')
  .action(async (file: string) => {
    finish(await (await import('./cli/backupCommands.ts')).restore(context(), file));
  });

program
  .command('rotate-identity')
  .description("change Main's key: announce the next one to every MDS, then --finish")
  .option('--finish', 'put the key that was announced into use')
  .option('--leave-behind', 'with --finish: even if some MDS have not heard of it')
  .option('--abandon', 'drop the key that was announced')
  .action(async (options: RotateOptions) => {
    finish(await (await import('./cli/rotateCommand.ts')).rotateIdentity(context(), options));
  });

program
  .command('why <path>')
  .description('which rule decides about a file, and what it does there')
  .option('--mds <name>', 'only this MDS')
  .action(async (path: string, _options: unknown, command) => {
    const { why } = await import('./cli/whyCommand.ts');
    finish(await why(context(), path, command.optsWithGlobals()));
  });

program
  .command('verify')
  .description('read every byte again on both sides and compare')
  .option('--mds <name>', 'only this MDS')
  .option('--json', 'print JSON')
  .action(async (_options: unknown, command) => {
    finish(await (await import('./cli/verifyCommand.ts')).verify(context(), command.optsWithGlobals()));
  });

const trash = program.command('trash').description('what was replaced or removed').exitOverride();
trash
  .command('list')
  .description('what can be brought back')
  .option('--mds <name>', 'only on this MDS')
  .option('--json', 'print JSON')
  .exitOverride()
  .action(async (_options: unknown, command) => {
    finish(await (await import('./cli/trashCommands.ts')).trashList(context(), command.optsWithGlobals()));
  });
trash
  .command('restore <path>')
  .description('bring back the newest version of a path (or the item with this id), on Main or on an MDS')
  .option('--mds <name>', 'on this MDS')
  .option('--as <path>', 'under another name')
  .exitOverride()
  .action(async (path: string, _options: unknown, command) => {
    finish(
      await (await import('./cli/trashCommands.ts')).trashRestore(context(), path, command.optsWithGlobals()),
    );
  });

program
  .command('history')
  .description('what was done, when, and why')
  .option('--mds <name>', 'only this MDS')
  .option('--limit <n>', 'so many of the newest', '50')
  .option('--json', 'print JSON')
  .action(async (_options: unknown, command) => {
    const { history } = await import('./cli/historyCommand.ts');
    finish(await history(context(), command.optsWithGlobals()));
  });

program
  .command('rollback <changeset>')
  .description('bring the dialplan back to how it was before a change set, on Main and every MDS')
  .option('-n, --dry-run', 'change nothing, show what would be done')
  .option('--json', 'print JSON')
  .action(async (changeSet: string, _options: unknown, command) => {
    const { rollback } = await import('./cli/rollbackCommand.ts');
    finish(await rollback(context(), changeSet, command.optsWithGlobals()));
  });

program
  .command('confirm <directory>')
  .description('let held removals happen, once')
  .option('--mds <name>', 'only at this MDS')
  .action(async (directory: string, _options: unknown, command) => {
    const { confirm } = await import('./cli/confirmCommand.ts');
    finish(await confirm(context(), directory, command.optsWithGlobals()));
  });

program
  .command('doctor')
  .description('look at limits, disk, clocks, permissions, certificates and reachability')
  .option('--json', 'print JSON')
  .action(async (_options: unknown, command) => {
    finish(await (await import('./cli/doctorCommand.ts')).doctor(context(), command.optsWithGlobals()));
  });

program
  .command('migrate')
  .description('from the old rsync job: what would differ on each MDS, before anything is switched')
  .option('--compare', 'show it; changes nothing')
  .option('--mds <name>', 'only this MDS')
  .option('--json', 'print JSON')
  .action(async (_options: unknown, command) => {
    finish(await (await import('./cli/migrateCommand.ts')).migrate(context(), command.optsWithGlobals()));
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
  .command('pause')
  .description('change no file anywhere for a while')
  .option('--for <duration>', 'how long', '1h')
  .action(async (options: { for: string }) => {
    const { until } = (await ask(context(), 'pause', { forMs: duration(options.for, '--for') })) as {
      until: string;
    };
    print(`paused until ${until}: "xivo-xds-sync resume" goes on earlier`);
  });
program
  .command('resume')
  .description('go on after a pause')
  .action(async () => {
    await ask(context(), 'resume');
    print('going on');
  });

function duration(text: string, option: string): number {
  try {
    return parseDuration(text);
  } catch (error) {
    throw new UsageError(`${option}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

process.exitCode = await runProgram(program, process.argv.slice(2));
