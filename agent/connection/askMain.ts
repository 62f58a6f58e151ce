import type { WebSocket } from 'ws';
import { type EnrolAnswer, enrolAnswerSchema, type EnrolRequest } from '#protocol/messages/enrolment.ts';
import { type Clock, systemClock } from '#host/time/clock.ts';
import { closeSocket } from '#wire/closeSocket.ts';

const ANSWER_TIMEOUT = 30_000;

export type AskOptions = {
  readonly clock?: Clock;
  /** Cancels the wait for the answer. */
  readonly signal?: AbortSignal | undefined;
};

/**
 * Sends one request over a connection to `/enrol`, and closes it.
 * @throws when no valid answer arrives within 30 s
 */
export async function askMain(
  { socket }: { readonly socket: WebSocket },
  request: EnrolRequest,
  { clock = systemClock, signal }: AskOptions = {},
): Promise<EnrolAnswer> {
  const { promise: answered, resolve, reject } = Promise.withResolvers<Buffer>();
  const onStop = (): void => reject(new Error('the agent is stopping'));
  const onClose = (): void => reject(new Error('Main closed the connection without an answer: see its log'));
  const cancel = clock.after(ANSWER_TIMEOUT, () =>
    reject(new Error(`Main gave no answer within ${ANSWER_TIMEOUT / 1000} s`)),
  );
  // What a connection has read is overwritten later.
  socket.on('message', (data) => resolve(Buffer.from(data as Buffer)));
  socket.on('error', reject);
  socket.on('close', onClose);
  signal?.addEventListener('abort', onStop, { once: true });
  try {
    if (signal?.aborted === true) onStop();
    else if (socket.readyState !== socket.OPEN) onClose();
    else socket.send(JSON.stringify(request));
    return enrolAnswerSchema.parse(JSON.parse((await answered).toString('utf8')));
  } finally {
    cancel();
    signal?.removeEventListener('abort', onStop);
    closeSocket(socket, clock);
  }
}
