import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '#host/time/clock.ts';
import type { Logger } from '#host/log/logger.ts';
import type { ControllerConfig } from '../../config/controllerConfig.ts';
import { watchConditions } from '../../conditions/watch.ts';
import { statusOf } from '../../control/status/status.ts';
import type { Controller } from '../../daemon/controller.ts';
import { observedBy, type Observers } from '../../daemon/observer.ts';
import type { Metrics } from '../../metrics/metrics.ts';
import type { PageServer } from '../../page/pageServer.ts';
import { Notifier } from '../../notify/notifier.ts';

/** The observers of the controller: metrics, `notify:`, the page; with a function that stops them. */
export type Observation = {
  readonly observers: Observers;
  /** Serves page and metrics, and checks the conditions, until it is disposed of. */
  readonly watch: (controller: Controller) => Promise<AsyncDisposable>;
};

/**
 * @param alone true when nothing else shares this machine (no `--root`): page and metrics are then served by default
 */
export async function observe(config: ControllerConfig, alone: boolean, log: Logger): Promise<Observation> {
  // Loaded only when needed: neither commands nor a Main without them use these libraries.
  const counted = config.metrics.enabled ?? alone;
  const served = counted || (config.page.enabled ?? alone);
  const metrics = counted ? new (await import('../../metrics/metrics.ts')).Metrics() : undefined;
  const notifier = new Notifier(config.notify, {
    clock: systemClock,
    log,
    sleep: async (ms, signal) => {
      await sleep(ms, undefined, { signal, ref: false }).catch(() => undefined);
    },
  });
  return {
    observers: {
      events: observedBy([...(metrics === undefined ? [] : [metrics]), notifier]),
      conditions: notifier,
    },
    watch: async (controller) => {
      const server = served ? await serve(controller, metrics, alone) : undefined;
      const watch = watchConditions(() => {
        const status = statusOf(controller);
        server?.sample(status);
      }, log);
      return {
        [Symbol.asyncDispose]: async () => {
          watch[Symbol.dispose]();
          notifier.close();
          await server?.close();
        },
      };
    },
  };
}

async function serve(
  controller: Controller,
  metrics: Metrics | undefined,
  alone: boolean,
): Promise<PageServer> {
  const { PageServer } = await import('../../page/pageServer.ts');
  const server = new PageServer(controller, metrics);
  await server.start(alone);
  return server;
}
