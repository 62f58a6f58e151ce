import { isIP } from 'node:net';
import { isMdsName, MDS_NAME_RULE } from '#core/mdsName.ts';
import { printable } from '#core/text/printable.ts';
import { ControlError } from '#host/control/controlError.ts';
import { encodeToken } from '#host/identity/joinToken.ts';
import type { Controller } from '../daemon/controller.ts';
import type { ControllerHandlers } from './contract/contract.ts';
import { requireMds, unknown } from './known.ts';
import { statusOf } from './status/status.ts';
import { RollOuts } from './upgrade/rollOut.ts';

/** `mds add`, `list`, `approve`, `remove`, `forget`, `upgrade`. */
export function mdsHandlers(
  controller: Controller,
): Pick<
  ControllerHandlers,
  'mds-add' | 'mds-list' | 'mds-approve' | 'mds-remove' | 'mds-forget' | 'mds-upgrade'
> {
  const { registry, clock, log } = controller;
  const rollOuts = new RollOuts(controller);
  return {
    'mds-add': ({ name, voipIp, ttlMs, replace }) => {
      requireName(name);
      if (voipIp !== undefined && isIP(voipIp) === 0)
        throw new ControlError(`"${printable(voipIp)}" is not an IP address`, 2);
      const added = registry.addToken({
        name,
        ttlMs,
        replace,
        now: clock.now(),
        ...(voipIp !== undefined && { voipIp }),
      });
      if (!added.ok) throw new ControlError(added.refused);
      log.info('join token made', { mds: name, id: added.token.id });
      return { token: encodeToken({ ...added.token, mainPin: controller.servicePort.identity.pin }) };
    },
    'mds-list': () => ({ mds: statusOf(controller).mds }),
    'mds-approve': ({ name }) => {
      requireName(name);
      const { pending, agents } = registry.list();
      const isNamed = (each: { readonly name: string }): boolean => each.name === name;
      if (!pending.some(isNamed)) {
        if (agents.some(isNamed))
          throw new ControlError(`${name} is enrolled already: there is nothing to approve`, 2);
        const waiting = pending.map((each) => each.name);
        throw unknown('MDS waiting for approval:', name, waiting, 'xivo-xds-sync mds list');
      }
      const approved = registry.approve(name, clock.now());
      if (!approved.ok) throw new ControlError(approved.refused);
      if (approved.replacedPin !== undefined)
        controller.sessions.disconnect([approved.replacedPin], 'another key took its name');
      log.info('enrolment approved', { mds: approved.agent.name, pin: approved.agent.pin });
      return { name: approved.agent.name };
    },
    'mds-upgrade': ({ mds }, { signal, progress }) => rollOuts.run(mds, signal, progress),
    'mds-remove': ({ name }) => {
      requireName(name);
      requireMds(controller, name);
      const removed = registry.remove(name, clock.now());
      if (!removed.ok) throw new ControlError(removed.refused);
      controller.sessions.disconnect(removed.pins, 'this MDS was removed on Main');
      log.warn('MDS removed', { mds: name });
      return { name, was: removed.was };
    },
    'mds-forget': ({ name }) => {
      requireName(name);
      requireMds(controller, name);
      const forgotten = registry.forget(name);
      if (!forgotten.ok) throw new ControlError(forgotten.refused);
      log.info('removed MDS forgotten', { mds: name });
      return { name };
    },
  };
}

function requireName(name: string): void {
  if (!isMdsName(name))
    throw new ControlError(`"${printable(name)}" can't be the name of an MDS: ${MDS_NAME_RULE}`, 2);
}
