import { Buffer } from 'node:buffer';

/** Bytes of one read. */
export const READ_BYTES = 256 * 1024;
/** More than queue, socket and archive hold when nobody waits for room in them: whoever waits for a buffer gets one. */
const BUFFERS = 8;

/**
 * A few buffers that are read into again and again, each lent to the stream until its bytes have left. A new one for each
 * read would make V8 collect its whole heap every ten megabytes, since memory outside of the heap counts, too.
 */
export class LentBuffers {
  readonly #free: Buffer[] = [];
  /** What was put into the archive, and the buffer that it lies in. */
  readonly #lent = new Map<Buffer, Buffer>();
  #made = 0;
  #wake: (() => void) | undefined;

  /** Resolves with a buffer that nobody else has, as soon as there is one. */
  async take(): Promise<Buffer> {
    for (;;) {
      const buffer = this.#free.pop() ?? this.#make();
      if (buffer !== undefined) return buffer;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** A part of a buffer goes into the archive, which gives it out again as it is. */
  lend(buffer: Buffer, piece: Buffer): void {
    this.#lent.set(piece, buffer);
  }

  /** @returns what to call once this piece of the archive has left; undefined when it is none that was lent */
  returnOf(piece: Buffer): (() => void) | undefined {
    const buffer = this.#lent.get(piece);
    if (buffer === undefined) return undefined;
    this.#lent.delete(piece);
    return () => {
      this.#free.push(buffer);
      this.#wakeUp();
    };
  }

  /** What is lent will not come back: whoever waits for it gets something new. */
  abandon(): void {
    this.#made = -Infinity;
    this.#wakeUp();
  }

  #make(): Buffer | undefined {
    if (this.#made >= BUFFERS) return undefined;
    this.#made += 1;
    // Not from Node's pool: what is written over must share its memory with nothing else.
    return Buffer.allocUnsafeSlow(READ_BYTES);
  }

  #wakeUp(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
