import type { Frame } from '#protocol/frames.ts';
import { MAX_FRAME_BYTES, WINDOW_BYTES } from '#protocol/limits.ts';
import type { Clock } from '#host/time/clock.ts';
import type { Pace } from './rateLimit.ts';
import type { StreamScheduler } from './streamScheduler.ts';

/** A frame of at least so many bytes may go before it is full. */
const WHOLE_ENOUGH = 16 * 1024;
/** Bytes that may wait here before the writer has to. */
const QUEUE_BYTES = 256 * 1024;

type Piece = { readonly bytes: Uint8Array; readonly onSent?: (() => void) | undefined };
export type OutgoingOptions = {
  readonly id: number;
  /** About how many will come. */
  readonly bytes: number;
  readonly pump: StreamScheduler;
  readonly clock: Clock;
  readonly pace?: Pace | undefined;
};

/** The sending end of a stream. `fail` may come at any time; then `write` and `end` throw. */
export class OutgoingStream {
  readonly id: number;
  readonly #pump: StreamScheduler;
  readonly #onDone: () => void;
  readonly #pace: Pace | undefined;
  readonly #queue: Piece[] = [];
  #queued = 0;
  #credit = WINDOW_BYTES;
  #left: number;
  #ended = false;
  #finished = false;
  #failure: string | undefined;
  #wake: (() => void) | undefined;
  readonly #clock: Clock;
  /** When it last ran out of credit or got some, monotonic milliseconds. */
  #creditAt: number;
  readonly #over = new AbortController();

  constructor(options: OutgoingOptions, onDone: () => void) {
    this.id = options.id;
    this.#left = options.bytes;
    this.#pump = options.pump;
    this.#clock = options.clock;
    this.#creditAt = options.clock.monotonic();
    this.#onDone = onDone;
    this.#pace = options.pace;
    options.pump.add(this);
  }

  /** Waits for credit since before this time, monotonic milliseconds. */
  waitsSince(before: number): boolean {
    return this.#queued > 0 && this.#credit <= 0 && this.#creditAt <= before;
  }

  /** About how many bytes are still to come. */
  get remaining(): number {
    return this.#left;
  }

  /** Nothing can be written any more: all was sent, or it failed. */
  get isFinished(): boolean {
    return this.#finished;
  }

  get canSend(): boolean {
    return !this.#finished && ((this.#queued > 0 && this.#credit > 0) || (this.#ended && this.#queued === 0));
  }

  /**
   * Waits while the stream is full.
   * @param onSent called once the bytes have left and may be written over; never, when they did not leave
   * @throws when the other side cancelled or the connection is gone
   */
  async write(bytes: Uint8Array, onSent?: () => void): Promise<void> {
    this.#check();
    if (bytes.length === 0) return onSent?.();
    await this.#pace?.pass(bytes.length, this.#over.signal);
    this.#check();
    this.#queue.push({ bytes, onSent });
    this.#queued += bytes.length;
    // Small pieces are gathered into whole frames.
    if (this.#queued >= MAX_FRAME_BYTES) this.#pump.run();
    while (this.#queued > QUEUE_BYTES) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
      this.#check();
    }
  }

  /** All was written. Resolves when it was handed to the socket. */
  async end(): Promise<void> {
    this.#check();
    this.#ended = true;
    this.#pump.run();
    while (!this.#finished) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
      this.#check();
    }
  }

  /** Tells the receiver that no more comes. */
  abort(reason: string): void {
    if (this.#finished) return;
    this.#pump.send({ kind: 'abort', stream: this.id, reason: reason.slice(0, 200) });
    this.fail(reason);
  }

  credit(bytes: number): void {
    this.#credit += bytes;
    this.#creditAt = this.#clock.monotonic();
    this.#pump.run();
  }

  fail(reason: string): void {
    if (this.#finished) return;
    this.#failure = reason;
    this.#finish();
  }

  /** Called by the pump. */
  takeFrame(): Frame {
    if (this.#queued === 0) {
      this.#finish();
      return { kind: 'end', stream: this.id };
    }
    const { bytes, onSent } = this.#take(Math.min(MAX_FRAME_BYTES, this.#credit));
    this.#credit -= bytes.length;
    if (this.#credit <= 0) this.#creditAt = this.#clock.monotonic();
    this.#left = Math.max(0, this.#left - bytes.length);
    if (this.#queued <= QUEUE_BYTES) this.#wakeUp();
    return { kind: 'data', stream: this.id, bytes, onSent };
  }

  /** A piece that is a frame by itself is not copied; several small ones are put together. */
  #take(limit: number): Piece {
    const parts: Piece[] = [];
    let size = 0;
    for (let head = this.#queue[0]; head !== undefined && size < limit; head = this.#queue[0]) {
      // Little of what comes next is left for the next frame, rather than copied.
      if (size >= WHOLE_ENOUGH && head.bytes.length > limit - size) break;
      const part = head.bytes.subarray(0, limit - size);
      const isWhole = part.length === head.bytes.length;
      if (isWhole) this.#queue.shift();
      else this.#queue[0] = { bytes: head.bytes.subarray(part.length), onSent: head.onSent };
      parts.push({ bytes: part, onSent: isWhole ? head.onSent : undefined });
      size += part.length;
    }
    this.#queued -= size;
    const [only] = parts;
    if (parts.length === 1 && only !== undefined) return only;
    const bytes = Buffer.concat(
      parts.map((part) => part.bytes),
      size,
    );
    // Not before this frame has left, although it is a copy: of the last of a piece, the rest may still wait in the socket.
    const ended = parts.flatMap(({ onSent }) => onSent ?? []);
    return { bytes, ...(ended.length > 0 && { onSent: () => ended.forEach((onSent) => onSent()) }) };
  }

  #finish(): void {
    this.#finished = true;
    this.#over.abort();
    this.#pump.remove(this);
    this.#onDone();
    this.#wakeUp();
  }

  #wakeUp(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  #check(): void {
    if (this.#failure !== undefined) throw new Error(this.#failure);
  }
}
