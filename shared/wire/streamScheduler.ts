import type { WebSocket } from 'ws';
import { encodeFrame, encodeHeader, type Frame } from '#protocol/frames.ts';

/** Most bytes in the socket's buffer: enough to keep the kernel busy, few enough that an urgent frame goes out soon. */
const MAX_IN_SOCKET = 256 * 1024;

/** From this size on, copying a payload costs more than sending it as a fragment of its own. */
const WORTH_A_FRAGMENT = 8 * 1024;

/** A stream as the scheduler sees it. */
export interface SendingStream {
  /** Estimated bytes still to be sent. */
  readonly remaining: number;
  readonly canSend: boolean;
  /** The next frame; undefined when there is nothing to send now. */
  takeFrame(): Frame | undefined;
}

/** Shares one socket among streams: the one with the least left to send goes first (shortest remaining time). */
export class StreamScheduler {
  readonly #socket: WebSocket;
  readonly #streams = new Set<SendingStream>();
  #inSocket = 0;

  constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  add(stream: SendingStream): void {
    this.#streams.add(stream);
    this.run();
  }

  remove(stream: SendingStream): void {
    this.#streams.delete(stream);
  }

  run(): void {
    while (this.#inSocket < MAX_IN_SOCKET) {
      const next = this.#smallest();
      const frame = next?.takeFrame();
      if (frame === undefined) return;
      this.send(frame);
    }
  }

  send(frame: Frame): void {
    if (frame.kind === 'data' && frame.bytes.length >= WORTH_A_FRAGMENT) return this.#sendUncopied(frame);
    const bytes = encodeFrame(frame);
    this.#socket.send(bytes, this.#sending(bytes.length, frame));
  }

  /** Sends header and payload as two fragments of one message. No other frame can come between: both are sent synchronously. */
  #sendUncopied(frame: Frame & { kind: 'data' }): void {
    this.#socket.send(encodeHeader(frame), { binary: true, fin: false });
    this.#socket.send(frame.bytes, { binary: true, fin: true }, this.#sending(frame.bytes.length, frame));
  }

  #sending(bytes: number, frame: Frame): (error?: Error | null) => void {
    this.#inSocket += bytes;
    return (error) => {
      this.#inSocket -= bytes;
      // A failed send may leave bytes in the socket, so their buffer must not be reused.
      if (frame.kind === 'data' && error == null) frame.onSent?.();
      this.run();
    };
  }

  #smallest(): SendingStream | undefined {
    let smallest: SendingStream | undefined;
    for (const stream of this.#streams) {
      if (stream.canSend && (smallest === undefined || stream.remaining < smallest.remaining))
        smallest = stream;
    }
    return smallest;
  }
}
