import { Buffer } from 'node:buffer';

/** Bytes of one read. */
export const READ_BYTES = 256 * 1024;
/** Number of buffers: more than queue, socket and archive hold together, so that a wait for a buffer always ends. */
const BUFFERS = 8;

/**
 * A few reusable read buffers, each lent to the stream until its bytes have been sent. A new buffer for each read would
 * make V8 collect its whole heap every ten megabytes, since external memory counts, too.
 */
export class LentBuffers {
  readonly #free: Buffer[] = [];
  /** The pieces in the archive, with the buffer of each. */
  readonly #lent = new Map<Buffer, Buffer>();
  #made = 0;
  #wake: (() => void) | undefined;

  /** Resolves with a free buffer as soon as there is one. */
  async take(): Promise<Buffer> {
    for (;;) {
      const buffer = this.#free.pop() ?? this.#make();
      if (buffer !== undefined) return buffer;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** Notes that a part of a buffer goes into the archive, which passes it on unchanged. */
  lend(buffer: Buffer, piece: Buffer): void {
    this.#lent.set(piece, buffer);
  }

  /** @returns the callback for when this piece has been sent; undefined when it is not a lent buffer */
  returnOf(piece: Buffer): (() => void) | undefined {
    const buffer = this.#lent.get(piece);
    if (buffer === undefined) return undefined;
    this.#lent.delete(piece);
    return () => {
      this.#free.push(buffer);
      this.#wakeUp();
    };
  }

  /** Abandons the lent buffers after an error; waiting readers get new ones. */
  abandon(): void {
    this.#made = -Infinity;
    this.#wakeUp();
  }

  #make(): Buffer | undefined {
    if (this.#made >= BUFFERS) return undefined;
    this.#made += 1;
    // Not from Node's pool, since the memory is overwritten and must not be shared.
    return Buffer.allocUnsafeSlow(READ_BYTES);
  }

  #wakeUp(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
