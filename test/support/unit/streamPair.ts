import { systemClock } from '#host/time/clock.ts';
import { IncomingStream } from '#wire/incomingStream.ts';
import type { OutgoingStream } from '#wire/outgoingStream.ts';

/** A stream whose two ends are joined by function calls, for what packs and unpacks. */
export function streamPair(): { stream: IncomingStream; out: OutgoingStream; cancelled: string[] } {
  const cancelled: string[] = [];
  const stream = new IncomingStream({
    grant: () => undefined,
    cancel: (reason) => cancelled.push(reason),
    done: () => undefined,
    clock: systemClock,
  });
  const out = {
    isFinished: false,
    signal: new AbortController().signal,
    write: (bytes: Uint8Array, onSent?: () => void) => {
      if (bytes.length > 0) stream.push(Buffer.from(bytes));
      onSent?.();
      return Promise.resolve();
    },
    end: () => Promise.resolve(stream.end()),
    abort: (reason: string) => stream.fail(reason),
  };
  return { stream, out: out as unknown as OutgoingStream, cancelled };
}
