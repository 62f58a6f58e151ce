import type { WebSocket } from 'ws';
import { encodeFrame, type Frame } from '#protocol/frames.ts';
import type { OutgoingStream } from './outgoingStream.ts';

/** Bytes handed to the socket and not yet to the kernel: enough to keep it busy, little enough to be overtaken. */
const MAX_IN_SOCKET = 256 * 1024;

/** Shares one socket among streams: whichever has least left to send goes first. */
export class StreamScheduler {
  readonly #socket: WebSocket;
  readonly #streams = new Set<OutgoingStream>();
  #inSocket = 0;

  constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  add(stream: OutgoingStream): void {
    this.#streams.add(stream);
    this.run();
  }

  remove(stream: OutgoingStream): void {
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

  #smallest(): OutgoingStream | undefined {
    let smallest: OutgoingStream | undefined;
    for (const stream of this.#streams) {
      if (stream.canSend && (smallest === undefined || stream.remaining < smallest.remaining))
        smallest = stream;
    }
    return smallest;
  }
}
