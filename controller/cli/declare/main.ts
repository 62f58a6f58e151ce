import { withExamples } from '#host/cli/program.ts';
import type { RotateOptions } from '../installation/rotateCommand.ts';
import type { MigrateOptions } from '../migration/migrateCommand.ts';
import { type Declare, JSON_OPTION, MDS_OPTION } from './run.ts';

type InitOptions = { host?: string; listen?: string; service?: boolean; keepCron?: boolean; json?: boolean };

/** Declares `init`, `serve`, `pause`, `doctor` and other commands about Main as a whole. */
export const declareMain: Declare = (program, { context, finish }) => {
  withExamples(
    program
      .command('init')
      .description("create Main's identity and configuration, publish the certificate, enable the service")
      .option('--host <name>', "the name in Main's certificate")
      .option('--listen <addr:port>', 'where agents connect to')
      .option('--no-service', 'do not enable the service')
      .option('--keep-cron', 'keep the old rsync job running, and start paused until "resume"')
      .option(...JSON_OPTION)
      .action(async (options: InitOptions) => {
        finish(await (await import('../installation/initCommand.ts')).init(context(), options));
      }),
    [
      ['xivo-xds-sync -i', 'the short form'],
      ['xivo-xds-sync init --listen 0.0.0.0:9443', 'listen on another address or port'],
    ],
  );
  withExamples(
    program
      .command('serve')
      .description('run the controller in the foreground')
      .action(async () => {
        const { log } = program.opts<{ log?: string }>();
        finish(await (await import('../installation/serveCommand.ts')).serve(context(), log));
      }),
    [['xivo-xds-sync --log stderr serve', 'with the log on the terminal']],
  );
  withExamples(
    program
      .command('pause')
      .description('suspend synchronisation on all hosts for a while')
      .option('--for <duration>', 'how long', '1h')
      .option(...JSON_OPTION)
      .action(async (options: { for: string; json?: boolean }) => {
        finish(await (await import('../synchronisation/pauseCommands.ts')).pause(context(), options));
      }),
    [['xivo-xds-sync pause --for 30m', 'during maintenance']],
  );
  withExamples(
    program
      .command('resume')
      .description('resume after a pause; turns the old rsync job off if it is still on')
      .option(...JSON_OPTION)
      .action(async (options: { json?: boolean }) => {
        finish(await (await import('../synchronisation/pauseCommands.ts')).resume(context(), options));
      }),
    [['xivo-xds-sync resume', 'before the pause ends by itself']],
  );
  withExamples(
    program
      .command('doctor')
      .description('check limits, disk, clocks, permissions, certificates and reachability')
      .option(...JSON_OPTION)
      .action(async (options: { json?: boolean }) => {
        finish(await (await import('../installation/doctorCommand.ts')).doctor(context(), options));
      }),
    [['xivo-xds-sync doctor', 'each failed check with its remedy']],
  );
  withExamples(
    program
      .command('check-config [file]')
      .description('check the configuration files without applying them')
      .option(...JSON_OPTION)
      .action(async (file: string | undefined, options: { json?: boolean }) => {
        const { checkConfiguration } = await import('../installation/checkConfigCommand.ts');
        finish(checkConfiguration(context(), file, options));
      }),
    [['xivo-xds-sync check-config', 'before "systemctl reload xivo-xds-sync"']],
  );
  withExamples(
    program
      .command('backup <file>')
      .description("write Main's identity, registry, configuration and state into one file")
      .option(...JSON_OPTION)
      .action(async (file: string, options: { json?: boolean }) => {
        finish(await (await import('../installation/backupCommands.ts')).backup(context(), file, options));
      }),
    [['xivo-xds-sync backup /root/xds-main.tar', 'while the controller runs']],
  );
  withExamples(
    program
      .command('restore <file>')
      .description("restore Main's identity and state from a backup")
      .option(...JSON_OPTION)
      .action(async (file: string, options: { json?: boolean }) => {
        finish(await (await import('../installation/backupCommands.ts')).restore(context(), file, options));
      }),
    [['xivo-xds-sync restore /root/xds-main.tar', 'on the new Main, before it is started']],
  );
  withExamples(
    program
      .command('rotate-identity')
      .description("change Main's key: announce the next one to every MDS, then --finish")
      .option('--finish', 'activate the announced key')
      .option(
        '--leave-behind',
        'with --finish: even if some MDS have not received the new key (they must enrol again)',
      )
      .option('--abandon', 'drop the announced key')
      .option(...JSON_OPTION)
      .action(async (options: RotateOptions) => {
        finish(await (await import('../installation/rotateCommand.ts')).rotateIdentity(context(), options));
      }),
    [
      ['xivo-xds-sync rotate-identity', 'announce a new key'],
      ['xivo-xds-sync rotate-identity --finish', 'once every MDS has received it'],
    ],
  );
  withExamples(
    program
      .command('migrate')
      .description('prepare the move from the old rsync job, or go back to it')
      .option('--compare', 'show what would change on each MDS, and its local files; change nothing')
      .option('--back', 'return to the old rsync job: pause, and put its cron file back')
      .option('-n, --dry-run', 'with --back: only show what would be done')
      .option(...MDS_OPTION)
      .option(...JSON_OPTION)
      .action(async (options: MigrateOptions) => {
        finish(await (await import('../migration/migrateCommand.ts')).migrate(context(), options));
      }),
    [
      ['xivo-xds-sync migrate --compare', 'after "xivo-xds-sync -i --keep-cron", before "resume"'],
      ['xivo-xds-sync migrate --back', 'the old rsync job works again'],
    ],
  );
};
