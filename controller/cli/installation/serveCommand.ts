import { EXIT } from '#host/cli/exitCodes.ts';
import { ControlError } from '#host/control/controlError.ts';
import { ControlServer } from '#host/control/controlServer.ts';
import { loadIdentity } from '#host/identity/identityFiles.ts';
import { logModeOf, openLog } from '#host/log/openLog.ts';
import { runOnState } from '#sync/state/openState.ts';
import { growHeapInSmallSteps } from '#host/memory/heapGrowth.ts';
import { restMemory } from '#host/memory/restingMemory.ts';
import { systemClock } from '#host/time/clock.ts';
import { outliveTerminal } from '#host/cli/output/terminal.ts';
import { Owners } from '#host/fs/owners.ts';
import { statusContract } from '../../control/contract/status.ts';
import { UsageError } from '#host/cli/usageError.ts';
import { abortedBy, stopSignal } from '#host/cli/stopSignal.ts';
import { serviceManager } from '#host/systemd/sdNotify.ts';
import { controlApi } from '../../control/api.ts';
import { statusOf } from '../../control/status/status.ts';
import { controllerContract, type ControllerHandlers } from '../../control/contract/contract.ts';
import { finishSwitch } from '../../enrolment/nextIdentity.ts';
import type { Logger } from '#host/log/logger.ts';
import { Controller } from '../../daemon/controller.ts';
import { print } from '#host/cli/output/terminal.ts';
import type { Context } from '../context.ts';
import { exitAtLast } from '#host/process/exitAtLast.ts';
import { loadConfig } from '../loadConfig.ts';
import { observe } from '../synchronisation/observation.ts';

/** `serve`: the controller in the foreground, until a signal ends it. */
export async function serve(context: Context, logMode?: string): Promise<number> {
  const config = loadConfig(context);
  finishSwitch(context.places.identityFolder);
  const identity = loadIdentity(context.places.identityFolder);
  if (identity === undefined) {
    throw new UsageError(
      `Main has no identity in ${context.places.identityFolder}: run "xivo-xds-sync -i" first`,
    );
  }
  const log = openLog(logModeOf(logMode));
  let controller: Controller | undefined;
  const stop = stopSignal(() => reload(context, controller, log.logger));
  const stopping = abortedBy(stop);
  const manager = serviceManager();
  try {
    const { root, places } = context;
    let api: ControllerHandlers | undefined;
    let waitsFor = 'it is just starting';
    const control = new ControlServer({
      socketPath: places.controlSocket,
      contract: controllerContract,
      handlers: () => {
        if (api === undefined) throw new ControlError(`the controller is still starting: ${waitsFor}`);
        return api;
      },
      onError: (command, error) => log.logger.error('a command failed', { command, error }),
    });
    await control.listen();
    const monitoring = await serveStatus(context, config.monitoring.group, () => controller, log.logger);
    try {
      await runOnState(
        places.stateFile,
        { log: log.logger, signal: stopping, onWaiting: (why) => (waitsFor = why) },
        async (db) => {
          const { logger } = log;
          const observation = await observe(config, context.root.path('/') === '/', logger);
          growHeapInSmallSteps();
          const running = new Controller({
            observers: observation.observers,
            config: controller?.config ?? config,
            identity: loadIdentity(places.identityFolder) ?? identity,
            db,
            root,
            clock: systemClock,
            log: logger,
          });
          controller = running;
          api = controlApi(running);
          try {
            // Scanning takes a while, and a stop does not wait for it.
            await Promise.race([running.start(), stop]);
            if (!stopping.aborted) {
              using _memory = restMemory();
              await using _watch = await observation.watch(running);
              outliveTerminal();
              print(`serving on port ${running.servicePort.number}`);
              manager.ready();
              await Promise.race([stop, db.whenDamaged()]);
            }
          } catch (error) {
            if (!db.damaged.aborted) throw error;
          }
          if (db.damaged.aborted) api = undefined;
          else manager.stopping();
          // A damaged state is replaced; requests meanwhile get this as the answer.
          await running.stop(() => (db.damaged.aborted ? control.quiet() : control.close()));
        },
      );
    } finally {
      await monitoring?.close();
      await control.close();
    }
    return EXIT.done;
  } catch (error) {
    log.logger.error('the controller can not run', { error });
    throw error;
  } finally {
    await log.close();
    exitAtLast();
  }
}

/** The socket for monitoring, which serves only the status. The controller works without it. */
async function serveStatus(
  { places }: Context,
  group: string,
  controller: () => Controller | undefined,
  log: Logger,
): Promise<ControlServer<typeof statusContract> | undefined> {
  const number = new Owners().groupNumber(group, -1);
  if (number < 0) {
    log.warn('no group for monitoring: only root can run "status --check"', { group });
    return undefined;
  }
  const server = new ControlServer({
    socketPath: places.statusSocket,
    contract: statusContract,
    handlers: () => {
      const running = controller();
      if (running === undefined) throw new ControlError('the controller is still starting');
      return { status: ({ mds }) => statusOf(running, mds) };
    },
    onError: (command, error) => log.error('a command failed', { command, error }),
    group: number,
  });
  try {
    await server.listen();
    return server;
  } catch (error) {
    log.warn('monitoring can not read the status: only root can run "status --check"', { group, error });
    return undefined;
  }
}

/** SIGHUP: applies what can change without a restart; an invalid configuration changes nothing. */
function reload(context: Context, controller: Controller | undefined, log: Logger): void {
  if (controller === undefined)
    return log.warn('configuration not reloaded: the controller is just starting');
  try {
    controller.reconfigure(loadConfig(context));
  } catch (error) {
    log.error('configuration not reloaded: the running one stays in use', { error });
  }
}
