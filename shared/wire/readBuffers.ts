import { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import { MAX_FRAME_BYTES } from '#protocol/limits.ts';

/** Bytes of one read: the most that a TLS record holds (RFC 8446, section 5.1). */
const READ_BYTES = 16 * 1024;
/** Bytes of an area. */
const AREA_BYTES = 256 * 1024;
/** With less room than this, the next frame would not be in one piece, bytes. */
const ROOM_OF_FRAME = MAX_FRAME_BYTES + READ_BYTES;

/** The memory of all areas. */
const overwritten = new WeakSet<ArrayBufferLike>();

/** True for bytes that later reads overwrite: what is to be kept of them has to be copied. */
export function isOverwritten(bytes: Uint8Array): boolean {
  return overwritten.has(bytes.buffer);
}

/**
 * Two areas of memory into which a client's connection reads in turn. Without them Node allocates for each TLS record, which
 * takes more time than decrypting it, and makes V8 collect its whole heap all the time, since external memory counts.
 *
 * Records that come together are passed on together, so that a frame is mostly in one piece, which `ws` need not copy.
 * What it has of an incomplete message it keeps; a complete one it emits before it takes more (`allowSynchronousEvents`).
 * So once it has emitted something, it needs nothing of what it was passed before.
 */
export class ReadBuffers {
  #area = newArea();
  #other = newArea();
  /** Bytes of the area that have been read, and those of them that have been passed on. */
  #filled = 0;
  #passed = 0;
  /** True when nothing of the other area is needed any more. */
  #isOtherFree = true;
  #socket: Socket | undefined;
  #isReadByWebSocket = false;
  #hasEmitted = false;
  #isWaiting = false;

  /** For `tls.connect`. */
  readonly onread = {
    buffer: (): Uint8Array => this.#next(),
    callback: (length: number): boolean => this.#read(length),
  };

  /** Passes what arrives on to a connection. To be called before anything has arrived. */
  serve(socket: Socket): void {
    this.#socket = socket;
  }

  /** From now on only this WebSocket reads. */
  readBy(webSocket: WebSocket): void {
    this.#isReadByWebSocket = true;
    for (const event of ['message', 'ping', 'pong'] as const)
      webSocket.on(event, () => (this.#hasEmitted = true));
  }

  /** @returns false when nothing more is to be read for now */
  #read(length: number): boolean {
    this.#filled += length;
    const isFull = this.#filled + READ_BYTES > AREA_BYTES;
    // A record that is not full is the last one of what the other side has sent at once.
    if (length < READ_BYTES || isFull || !this.#isReadByWebSocket) return this.#passOn();
    if (!this.#isWaiting) setImmediate(() => this.#passOnRest());
    this.#isWaiting = true;
    return true;
  }

  #passOnRest(): void {
    this.#isWaiting = false;
    if (this.#passed < this.#filled) this.#passOn();
  }

  #passOn(): boolean {
    const socket = this.#socket;
    const bytes = this.#area.subarray(this.#passed, this.#filled);
    this.#passed = this.#filled;
    this.#hasEmitted = false;
    // Other readers, such as that of the HTTP answer, may keep what they are passed.
    const wantsMore = socket?.push(this.#isReadByWebSocket ? bytes : Buffer.from(bytes)) ?? true;
    if (this.#hasEmitted || !this.#isReadByWebSocket) this.#isOtherFree = true;
    return wantsMore;
  }

  /** Where the next bytes are to be written: called after each read. */
  #next(): Uint8Array {
    if (this.#passed === this.#filled && this.#filled + ROOM_OF_FRAME > AREA_BYTES) this.#changeArea();
    return this.#area.subarray(this.#filled, this.#filled + READ_BYTES);
  }

  #changeArea(): void {
    const next = this.#isOtherFree ? this.#other : newArea();
    this.#other = this.#area;
    this.#isOtherFree = false;
    this.#area = next;
    this.#filled = 0;
    this.#passed = 0;
  }
}

function newArea(): Buffer {
  const area = Buffer.allocUnsafeSlow(AREA_BYTES);
  overwritten.add(area.buffer);
  return area;
}
