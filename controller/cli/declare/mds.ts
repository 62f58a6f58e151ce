import { withExamples } from '#host/cli/program.ts';
import { type Declare, JSON_OPTION } from './run.ts';

/** Declares `mds …`: the registry of media servers. */
export const declareMds: Declare = (program, { context, finish }) => {
  const mds = program
    .command('mds')
    .description('manage media servers (add, list, approve, upgrade, remove, forget)');
  withExamples(
    mds
      .command('add <name>')
      .description('print a one-use join token for a new MDS')
      .option('--voip-ip <ip>', 'the token only works from this address')
      .option('--ttl <duration>', 'how long the token works', '1h')
      .option('--replace', 're-enrol an MDS that was reinstalled under the same name')
      .option(...JSON_OPTION)
      .action(
        async (
          name: string,
          options: { voipIp?: string; ttl: string; replace?: boolean; json?: boolean },
        ) => {
          finish(await (await import('../mds/mdsCommands.ts')).mdsAdd(context(), name, options));
        },
      ),
    [
      ['xivo-xds-sync mds add mds1 --voip-ip 10.0.0.11', 'a token that works from that address only'],
      ['xivo-xds-sync mds add mds1 --replace', 'mds1 was reinstalled'],
    ],
  );
  withExamples(
    mds
      .command('list')
      .description('list every MDS that Main knows')
      .option('--all', 'those that were removed, too')
      .option(...JSON_OPTION)
      .action(async (options: { all?: boolean; json?: boolean }) => {
        finish(await (await import('../mds/mdsCommands.ts')).mdsList(context(), options));
      }),
    [['xivo-xds-sync mds list --json', 'for programs']],
  );
  withExamples(
    mds
      .command('approve <name>')
      .description('approve an MDS that asked to join without a token (compare the fingerprints first)')
      .option(...JSON_OPTION)
      .action(async (name: string, options: { json?: boolean }) => {
        finish(await (await import('../mds/mdsCommands.ts')).mdsApprove(context(), name, options));
      }),
    [['xivo-xds-sync mds approve mds1', 'after the fingerprints were compared']],
  );
  withExamples(
    mds
      .command('upgrade [name]')
      .description("upgrade the agent of one MDS to Main's version, or with --all every one, canaries first")
      .option('--all', 'every MDS; the first failure stops it')
      .option(...JSON_OPTION)
      .action(async (name: string | undefined, options: { all?: boolean; json?: boolean }) => {
        finish(await (await import('../mds/upgradeCommand.ts')).upgrade(context(), name, options));
      }),
    [['xivo-xds-sync mds upgrade --all', "after Main's package was upgraded"]],
  );
  withExamples(
    mds
      .command('remove <name>')
      .description('revoke an MDS: disconnect it now and refuse its key')
      .option(...JSON_OPTION)
      .action(async (name: string, options: { json?: boolean }) => {
        finish(await (await import('../mds/mdsCommands.ts')).mdsRemove(context(), name, options));
      }),
    [['xivo-xds-sync mds remove mds3', 'mds3 was taken out of service']],
  );
  withExamples(
    mds
      .command('forget <name>')
      .description('forget an MDS that was removed: lists and status do not name it any more')
      .option(...JSON_OPTION)
      .action(async (name: string, options: { json?: boolean }) => {
        finish(await (await import('../mds/mdsCommands.ts')).mdsForget(context(), name, options));
      }),
    [['xivo-xds-sync mds forget mds3', 'after mds3 was removed for good']],
  );
};
