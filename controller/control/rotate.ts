import { ControlError } from '#host/control/controlError.ts';
import { formatFingerprint } from '#host/identity/pin.ts';
import type { Controller } from '../daemon/controller.ts';
import type { ControllerHandlers } from './contract/contract.ts';
import { rotationOf } from './status/status.ts';

/** `rotate-identity`: changes the key of Main, in two steps. */
export function rotateHandlers(
  controller: Controller,
): Pick<ControllerHandlers, 'rotate-begin' | 'rotate-abandon' | 'rotate-finish'> {
  return {
    'rotate-begin': async () => {
      await controller.rotation.begin(controller.servicePort.identity);
      const announced = rotationOf(controller);
      if (announced === null) throw new ControlError('the next key was dropped meanwhile: try again');
      return announced;
    },
    'rotate-abandon': () => {
      controller.rotation.abandon();
      return {};
    },
    'rotate-finish': ({ leaveBehind }) => {
      const { rotation } = controller;
      if (rotation.nextPin === undefined)
        throw new ControlError('no next key was announced: run "xivo-xds-sync rotate-identity" first');
      if (rotation.stragglers.length > 0 && !leaveBehind) {
        throw new ControlError(
          `not every MDS has received the next key yet: ${rotation.stragglers.join(', ')}. Each receives it when it connects. Those that stay away can be left behind (--leave-behind): they must enrol again`,
        );
      }
      const { stragglers: leftBehind, unapproved } = rotation;
      controller.servicePort.switchIdentity();
      return { fingerprint: formatFingerprint(controller.servicePort.identity.pin), leftBehind, unapproved };
    },
  };
}
