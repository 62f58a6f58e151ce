import type { WebSocket } from 'ws';
import { encodeFrame, encodeHeader, type Frame } from '#protocol/frames.ts';

/** Bytes handed to the socket and not yet to the kernel: enough to keep it busy, little enough to be overtaken. */
const MAX_IN_SOCKET = 256 * 1024;

/** From so many bytes on a copy costs more than a fragment of its own. */
const WORTH_A_FRAGMENT = 8 * 1024;

/** What the scheduler needs to know of a stream that wants to send. */
export interface SendingStream {
  /** About how many bytes are still to come. */
  readonly remaining: number;
  readonly canSend: boolean;
  /** The next frame, or undefined where there is nothing to send just now. */
  takeFrame(): Frame | undefined;
}

/** Shares one socket among streams: whichever has least left to send goes first. */
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

  /** As two fragments of one message. Nothing can come between them: they are handed over in one turn. */
  #sendUncopied(frame: Frame & { kind: 'data' }): void {
    this.#socket.send(encodeHeader(frame), { binary: true, fin: false });
    this.#socket.send(frame.bytes, { binary: true, fin: true }, this.#sending(frame.bytes.length, frame));
  }

  #sending(bytes: number, frame: Frame): (error?: Error | null) => void {
    this.#inSocket += bytes;
    return (error) => {
      this.#inSocket -= bytes;
      // What could not be sent may still wait in the socket: its bytes are nobody's to write over.
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
