import { ControlError } from '#host/control/controlError.ts';
import type { Controller } from '../daemon/controller.ts';

/** @throws ControlError while synchronisation is paused: what is to reach an MDS would not */
export function refuseWhilePaused({ pause }: Controller): void {
  if (pause.isOn) throw new ControlError('synchronisation is paused: run "xivo-xds-sync resume" first');
}
