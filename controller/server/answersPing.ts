import type { WebSocket } from 'ws';
import type { Clock } from '#host/time/clock.ts';

/** Timeout of a ping, milliseconds; a live peer answers sooner unless its network is very slow. */
const PATIENCE = 3_000;

/** Whether the peer of a connection still answers; a half-open connection does not. */
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
