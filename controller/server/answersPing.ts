import type { WebSocket } from 'ws';

/** A peer that lives answers within this time, milliseconds, unless its network is very slow. */
const PATIENCE = 3_000;

/** Whether somebody still lives at the other end of a connection: the half of one that was cut off is silent. */
export function answersPing(socket: WebSocket): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (lives: boolean): void => {
      clearTimeout(timer);
      socket.off('pong', onPong);
      socket.off('close', onClose);
      resolve(lives);
    };
    const onPong = (): void => settle(true);
    const onClose = (): void => settle(false);
    const timer = setTimeout(() => settle(false), PATIENCE);
    socket.on('pong', onPong);
    socket.on('close', onClose);
    if (socket.readyState === socket.OPEN) socket.ping();
    else settle(false);
  });
}
