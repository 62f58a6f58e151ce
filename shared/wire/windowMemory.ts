import { Buffer } from 'node:buffer';
import { MAX_FRAME_BYTES, WINDOW_BYTES } from '#protocol/limits.ts';

/**
 * Bytes, from the beginning of a chunk on, that a reader may have taken while it still uses that chunk: an archive holds up to
 * 512 KiB (its slack), and what is being written are up to 256 KiB.
 */
const HELD_BYTES = 960 * 1024;
const BYTES = WINDOW_BYTES + HELD_BYTES + MAX_FRAME_BYTES;

/**
 * Those that no stream uses, of which most are used again soon: the first use of memory takes a virtual machine up to
 * seventy times as long as a later one. A collection of garbage takes them.
 */
const spare: WeakRef<WindowMemory>[] = [];

/**
 * Memory for what a stream receives, used again and again. A chunk is overwritten when as much has been received after it
 * as this holds; since the sender may not be more than a window ahead of the reader, the reader has then taken more than
 * {@link HELD_BYTES} from its beginning on.
 */
export class WindowMemory {
  readonly #memory = Buffer.allocUnsafeSlow(BYTES);
  #next = 0;

  /** One that another stream has used; undefined when there is none. */
  static spare(): WindowMemory | undefined {
    for (let each = spare.pop(); each !== undefined; each = spare.pop()) {
      const memory = each.deref();
      if (memory !== undefined) return memory;
    }
    return undefined;
  }

  /** For another stream: no reader needs what was copied here any more. */
  giveBack(): void {
    spare.push(new WeakRef(this));
  }

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
