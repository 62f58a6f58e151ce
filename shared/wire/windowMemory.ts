import { Buffer } from 'node:buffer';
import { MAX_FRAME_BYTES, WINDOW_BYTES } from '#protocol/limits.ts';

/** Bytes that a reader may still hold of the chunks that it took before the last one: archive, file and thread together. */
const HELD_BYTES = 960 * 1024;
const BYTES = WINDOW_BYTES + HELD_BYTES + MAX_FRAME_BYTES;

/**
 * Memory for what a stream receives, used again and again. A chunk is overwritten when as much has been received after it
 * as this holds; since the sender may not be more than a window ahead of the reader, the reader has then taken at least
 * {@link HELD_BYTES} beyond it.
 */
export class WindowMemory {
  readonly #memory = Buffer.allocUnsafeSlow(BYTES);
  #next = 0;

  /** @param bytes those of a frame at most @returns a copy of them */
  copy(bytes: Uint8Array): Buffer {
    // The end of the memory that is left free is shorter than a frame.
    if (this.#next + bytes.length > BYTES) this.#next = 0;
    const start = this.#next;
    this.#next += bytes.length;
    const copy = this.#memory.subarray(start, this.#next);
    copy.set(bytes);
    return copy;
  }
}
