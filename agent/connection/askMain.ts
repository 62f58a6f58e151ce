import { once } from 'node:events';
import { type EnrolAnswer, enrolAnswerSchema, type EnrolRequest } from '#protocol/messages/enrolment.ts';
import type { Dialled } from './dial.ts';

const ANSWER_TIMEOUT = 30_000;

/**
 * Asks one thing over a connection to `/enrol`, and ends it.
 * @throws when no answer comes, or one that makes no sense
 */
export async function askMain({ socket }: Dialled, request: EnrolRequest): Promise<EnrolAnswer> {
  const over = new AbortController();
  const { signal } = over;
  const closed = once(socket, 'close', { signal }).then(() => {
    throw new Error('Main closed the connection without an answer: see its log');
  });
  try {
    const answered = once(socket, 'message', {
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_TIMEOUT)]),
    });
    socket.send(JSON.stringify(request));
    const [data] = (await Promise.race([answered, closed])) as [Buffer];
    return enrolAnswerSchema.parse(JSON.parse(data.toString('utf8')));
  } finally {
    closed.catch(() => undefined);
    over.abort();
    socket.close();
  }
}
