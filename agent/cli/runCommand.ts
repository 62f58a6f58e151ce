import { EXIT } from '../../shared/cli/exitCodes.ts';
import { stopSignal } from '../../shared/cli/stopSignal.ts';
import { UsageError } from '../../shared/cli/usageError.ts';
import { ControlServer } from '../../shared/control/controlServer.ts';
import { loadIdentity } from '../../shared/identity/identityFiles.ts';
import { LOG_MODES, type LogMode, openLog } from '../../shared/log/openLog.ts';
import { systemClock } from '../../shared/time/clock.ts';
import { Agent } from '../daemon/agent.ts';
import { type Context, loadConfig } from './context.ts';
import { loadMembership } from './membership.ts';

/** `run`: the agent in the foreground, until a signal ends it. */
export async function run(context: Context, options: { log?: string }): Promise<number> {
  const config = loadConfig(context);
  const { identityFolder, controlSocket } = context.places;
  const identity = loadIdentity(identityFolder);
  const membership = loadMembership(identityFolder);
  if (identity === undefined || membership === undefined) {
    throw new UsageError(
      'this MDS is not enrolled: run "xivo-xds-sync-agent enroll --main HOST --token-file FILE" first',
    );
  }
  const { main } = config;
  if (main === undefined)
    throw new UsageError(`${context.configFile} does not say which Main: add "main: HOST"`);
  const mode = options.log ?? 'auto';
  if (!LOG_MODES.includes(mode as LogMode))
    throw new UsageError(`--log takes ${LOG_MODES.join(', ')}, not "${mode}"`);
  const stop = stopSignal();
  const log = openLog(mode as LogMode);
  try {
    const agent = new Agent({
      config,
      places: context.places,
      root: context.root,
      clock: systemClock,
      log: log.logger,
      dial: () => ({
        main,
        path: '/agent',
        keyPem: identity.keyPem,
        certificatePem: identity.certificatePem,
        mainPin: membership.mainPin,
        localAddress: config.localAddress,
      }),
    });
    const status = (): unknown => ({ name: membership.name, link: agent.link.state, ...agent.report() });
    const control = new ControlServer(controlSocket, { status }, (error) =>
      log.logger.error('a command failed', { error }),
    );
    await control.listen();
    try {
      agent.start();
      log.logger.info('agent started', { name: membership.name });
      await stop;
      await agent.stop();
      log.logger.info('agent stopped');
    } finally {
      await control.close();
    }
    return EXIT.done;
  } catch (error) {
    log.logger.error('the agent can not run', { error });
    throw error;
  } finally {
    await log.close();
  }
}
