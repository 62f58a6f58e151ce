import type { WebSocket } from 'ws';
import type { Clock } from '#host/time/clock.ts';

/** The closing handshake is waited for this long, milliseconds. */
const CLOSING = 1_000;
/** A WebSocket's state after its last event. */
const SOCKET_CLOSED = 3;

/** Ends a connection; a peer that does not answer the closing handshake is not waited for. */
export function closeSocket(
  socket: Pick<WebSocket, 'close' | 'terminate' | 'once' | 'readyState'>,
  clock: Clock,
  code = 1000,
  reason = '',
): void {
  socket.close(code, reason);
  if (socket.readyState === SOCKET_CLOSED) return;
  const cancel = clock.after(CLOSING, () => socket.terminate());
  socket.once('close', cancel);
}
