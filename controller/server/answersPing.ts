import type { WebSocket } from 'ws';
import type { Clock } from '#host/time/clock.ts';

/** A peer that lives answers within this time, milliseconds, unless its network is very slow. */
const PATIENCE = 3_000;

/** Whether somebody still lives at the other end of a connection: the half of one that was cut off is silent. */
export function answersPing(socket: WebSocket, clock: Clock): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (lives: boolean): void => {
      cancel();
      socket.off('pong', onPong);
      socket.off('close', onClose);
      resolve(lives);
    };
    const onPong = (): void => settle(true);
    const onClose = (): void => settle(false);
    const cancel = clock.after(PATIENCE, () => settle(false));
    socket.on('pong', onPong);
    socket.on('close', onClose);
    if (socket.readyState === socket.OPEN) socket.ping();
    else settle(false);
  });
}
