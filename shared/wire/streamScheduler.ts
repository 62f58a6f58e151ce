import type { WebSocket } from 'ws';
import { encodeFrame, type Frame } from '#protocol/frames.ts';

/** Bytes handed to the socket and not yet to the kernel: enough to keep it busy, little enough to be overtaken. */
const MAX_IN_SOCKET = 256 * 1024;

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
    const bytes = encodeFrame(frame);
    this.#inSocket += bytes.length;
    this.#socket.send(bytes, () => {
      this.#inSocket -= bytes.length;
      this.run();
    });
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
