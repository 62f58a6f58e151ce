import * as z from 'zod';
import { isIP } from 'node:net';
import { ControlError } from '#host/control/controlError.ts';
import type { Handler } from '#host/control/controlServer.ts';
import { encodeToken } from '#host/identity/joinToken.ts';
import { isMdsName, MDS_NAME_RULE } from '#core/mdsName.ts';
import { formatFingerprint } from '#host/identity/pin.ts';
import { isOverride } from '#core/path/relative.ts';
import type { Controller } from '../daemon/controller.ts';
import { passOver } from '../daemon/passes.ts';
import { locate } from './locate.ts';
import { rollback } from './rollback.ts';
import { rotationOf, statusOf } from './status.ts';
import { RollOuts } from './upgrade/rollOut.ts';
import { trashList, trashRestore } from './trash.ts';
import { verify } from './verify.ts';

const mds = z.string().optional();

/** What the command line may ask of the controller. */
export function controlApi(controller: Controller): Record<string, Handler> {
  const { registry, clock, log } = controller;
  const rollOuts = new RollOuts(controller);
  return {
    status: () => statusOf(controller),
    sync: async (args) => ({ mds: await passOver(controller, { do: 'reconcile' }, mds.parse(args['mds'])) }),
    plan: async (args) => ({ mds: await passOver(controller, { do: 'plan' }, mds.parse(args['mds'])) }),
    confirm: (args) => confirm(controller, z.string().parse(args['directory']), mds.parse(args['mds'])),
    why: (args) => why(controller, z.string().parse(args['path']), mds.parse(args['mds'])),
    verify: (args) => verify(controller, mds.parse(args['mds'])),
    'trash-list': (args) => trashList(controller, mds.parse(args['mds'])),
    'trash-restore': (args) =>
      trashRestore(
        controller,
        z.string().parse(args['path']),
        z.string().optional().parse(args['as']),
        mds.parse(args['mds']),
      ),
    history: (args) =>
      controller.history.newest(z.int().min(1).max(100_000).parse(args['limit']), mds.parse(args['mds'])),
    rollback: (args) =>
      rollback(controller, z.string().parse(args['changeSet']), z.boolean().parse(args['dryRun'])),
    pause: (args) => {
      controller.pause(clock.now() + z.number().min(0).parse(args['forMs']));
      return { until: new Date(controller.pausedUntil).toISOString() };
    },
    resume: () => controller.pause(0),
    'mds-add': (args) => {
      const name = mdsName(args['name']);
      const voipIp = z.string().optional().parse(args['voipIp']);
      if (voipIp !== undefined && isIP(voipIp) === 0)
        throw new ControlError(`"${voipIp}" is not an IP address`, 2);
      const added = registry.addToken({
        name,
        ttlMs: z.number().min(1).parse(args['ttlMs']),
        replace: z.boolean().parse(args['replace']),
        now: clock.now(),
        ...(voipIp !== undefined && { voipIp }),
      });
      if (!added.ok) throw new ControlError(added.refused);
      log.info('join token made', { mds: name, id: added.token.id });
      return { token: encodeToken({ ...added.token, mainPin: controller.identity.pin }) };
    },
    'mds-list': () =>
      statusOf(controller).mds.map(({ name, state, address, voipIp, agentVersion, inSync, fingerprint }) => ({
        name,
        state,
        address,
        voipIp,
        agentVersion,
        inSync,
        fingerprint,
      })),
    'mds-approve': (args) => {
      const approved = registry.approve(mdsName(args['name']), clock.now());
      if (!approved.ok) throw new ControlError(approved.refused);
      if (approved.replacedPin !== undefined)
        controller.disconnect([approved.replacedPin], 'another key took its name');
      log.info('enrolment approved', { mds: approved.agent.name, pin: approved.agent.pin });
      return { name: approved.agent.name };
    },
    'mds-upgrade': (args, signal) => rollOuts.run(mds.parse(args['mds']), signal),
    'mds-remove': (args) => {
      const name = mdsName(args['name']);
      const removed = registry.remove(name, clock.now());
      if (!removed.ok) throw new ControlError(removed.refused);
      controller.disconnect(removed.pins, 'this MDS was removed on Main');
      log.warn('MDS removed', { mds: name });
      return { name };
    },
    'rotate-begin': async () => {
      await controller.rotation.begin(controller.identity);
      return rotationOf(controller);
    },
    'rotate-abandon': () => controller.rotation.abandon(),
    'rotate-finish': (args) => {
      const { rotation } = controller;
      if (rotation.nextPin === undefined)
        throw new ControlError('no next key was announced: run "xivo-xds-sync rotate-identity" first');
      if (rotation.stragglers.length > 0 && !z.boolean().parse(args['leaveBehind'])) {
        throw new ControlError(
          `not every MDS knows the next key yet: ${rotation.stragglers.join(', ')}. Each learns it when it connects. Those that stay away can be left behind (--leave-behind): they have to enrol again`,
        );
      }
      const { stragglers: leftBehind, unapproved } = rotation;
      controller.switchIdentity();
      return { fingerprint: formatFingerprint(controller.identity.pin), leftBehind, unapproved };
    },
  };
}

function mdsName(value: unknown): string {
  const name = z.string().parse(value);
  if (!isMdsName(name)) throw new ControlError(`"${name}" can't be the name of an MDS: ${MDS_NAME_RULE}`, 2);
  return name;
}

async function confirm(controller: Controller, name: string, only: string | undefined): Promise<unknown> {
  const directory = controller.directories.get(name);
  if (directory === undefined) {
    throw new ControlError(
      `there is no directory "${name}": ${[...controller.directories.keys()].join(', ')} are there`,
      2,
    );
  }
  if (only !== undefined && directory.replica.held !== undefined) {
    throw new ControlError(
      `"${name}" is held on Main itself (${directory.replica.held}): confirm it without --mds`,
    );
  }
  if (directory.replica.held !== undefined) {
    try {
      await directory.replica.confirm();
    } catch (error) {
      throw new ControlError(
        `"${name}" can't be confirmed: ${error instanceof Error ? error.message : String(error)}. Make the directory first`,
      );
    }
    directory.tellIfHeld();
  }
  if (controller.config.canary.length > 0) controller.openGate(directory);
  controller.log.warn('held removals confirmed', { directory: name, mds: only ?? 'all' });
  return { mds: await passOver(controller, { do: 'confirm', directory: name }, only) };
}

/** A path as people write it: absolute, or `directory/path`. */
async function why(controller: Controller, written: string, only: string | undefined): Promise<unknown> {
  const found = locate(controller, written);
  if (found === undefined) {
    throw new ControlError(
      `"${written}" lies in no synchronised directory: name it with its absolute path, or as directory/path`,
      2,
    );
  }
  const { directory, path } = found;
  if (isOverride(path)) {
    return {
      directory: directory.name,
      path,
      mds: [],
      rule: 'override: never read, sent, replaced, removed or counted on any host',
    };
  }
  const passes = await passOver(controller, { do: 'why', directory: directory.name, path }, only);
  return {
    directory: directory.name,
    path,
    mds: passes.map(({ name, ok, lines, problems }) => ({ name, ok, lines, problems })),
  };
}
