import type { Controller } from '../daemon/controller.ts';
import { dialplanOf, passOver } from '../daemon/passes.ts';
import { audited } from './past/audit.ts';
import { confirm } from './confirm.ts';
import type { ControllerHandlers } from './contract/contract.ts';
import { differenceHandlers } from './differences/differences.ts';
import { history } from './past/history.ts';
import { mdsHandlers } from './mds.ts';
import { rollback } from './past/rollback.ts';
import { rotateHandlers } from './rotate.ts';
import { statusOf } from './status/status.ts';
import { trashList, trashRestore } from './past/trash.ts';
import { verify } from './verify.ts';
import { why } from './why.ts';

/** The handlers of all commands of the contract. */
export function controlApi(controller: Controller): ControllerHandlers {
  return audited(controller, {
    status: ({ mds }) => statusOf(controller, mds),
    sync: async ({ mds }, { progress }) => ({
      mds: await passOver(controller, { do: 'reconcile' }, mds, progress),
    }),
    plan: async ({ mds }, { progress }) => {
      const passes = await passOver(controller, { do: 'plan' }, mds, progress);
      return { mds: passes.map((pass) => ({ ...pass, dialplan: dialplanOf(pass) })) };
    },
    confirm: ({ directory, mds, dryRun }, { progress }) =>
      confirm(controller, directory, mds, dryRun, progress),
    why: ({ path, mds }, { progress }) => why(controller, path, mds, progress),
    verify: ({ mds }, { progress, signal }) => verify(controller, mds, progress, signal),
    'trash-list': ({ mds }) => trashList(controller, mds),
    'trash-restore': ({ path, as, mds, at, toMain, dryRun }, { by, progress }) =>
      trashRestore(controller, path, as, mds, {
        at,
        toMain,
        dryRun,
        actor: by,
        show: progress,
      }),
    history: (asked) => history(controller, asked),
    rollback: ({ changeSet, dryRun }, { by, progress }) =>
      rollback(controller, changeSet, dryRun, by, progress),
    pause: ({ forMs }) => {
      controller.pause.set(controller.clock.now() + forMs);
      return { until: new Date(controller.pause.until).toISOString() };
    },
    resume: () => {
      const wasPaused = controller.pause.isOn;
      controller.pause.set(0);
      const all = statusOf(controller).mds.flatMap(({ directories }) => directories);
      return { wasPaused, pending: all.reduce((sum, { pending }) => sum + pending, 0) };
    },
    ...differenceHandlers(controller),
    ...mdsHandlers(controller),
    ...rotateHandlers(controller),
  });
}
