import type { Frame } from '#protocol/frames.ts';
import { MAX_FRAME_BYTES, WINDOW_BYTES } from '#protocol/limits.ts';
import type { Clock } from '#host/time/clock.ts';
import type { Pace } from './rateLimit.ts';
import type { StreamScheduler } from './streamScheduler.ts';

/** Least bytes of a frame that is sent before it is full. */
const WHOLE_ENOUGH = 16 * 1024;
/** Buffered bytes above which the writer has to wait. */
const QUEUE_BYTES = 256 * 1024;

type Piece = { readonly bytes: Uint8Array; readonly onSent?: (() => void) | undefined };
export type OutgoingOptions = {
  readonly id: number;
  /** Estimated bytes of the whole stream. */
  readonly bytes: number;
  readonly pump: StreamScheduler;
  readonly clock: Clock;
  readonly pace?: Pace | undefined;
};

/** The sending end of a stream. `fail` may be called at any time; `write` and `end` throw from then on. */
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
  /** When it last ran out of credit, monotonic milliseconds. */
  #withoutSince: number;
  readonly #over = new AbortController();

  constructor(options: OutgoingOptions, onDone: () => void) {
    this.id = options.id;
    this.#left = options.bytes;
    this.#pump = options.pump;
    this.#clock = options.clock;
    this.#withoutSince = options.clock.monotonic();
    this.#onDone = onDone;
    this.#pace = options.pace;
    options.pump.add(this);
  }

  /** True when it has waited for credit since before this time, monotonic milliseconds. */
  waitsSince(before: number): boolean {
    return this.#queued > 0 && this.#credit <= 0 && this.#withoutSince <= before;
  }

  /** Estimated bytes still to be sent. */
  get remaining(): number {
    return this.#left;
  }

  /** Aborted when nothing can be written any more. */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  /** True when nothing can be written any more: everything was sent, or it failed. */
  get isFinished(): boolean {
    return this.#finished;
  }

  get canSend(): boolean {
    return !this.#finished && ((this.#queued > 0 && this.#credit > 0) || (this.#ended && this.#queued === 0));
  }

  /**
   * Waits while the stream is full.
   * @param onSent called once the bytes have been sent and their buffer may be reused; never called if they were not sent
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

  /** Ends the stream. Resolves when everything was handed to the socket. */
  async end(): Promise<void> {
    this.#check();
    this.#ended = true;
    this.#pump.run();
    while (!this.#finished) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
      this.#check();
    }
  }

  /** Sends the receiver the end of the stream with a reason. */
  abort(reason: string): void {
    if (this.#finished) return;
    this.#pump.send({ kind: 'abort', stream: this.id, reason: reason.slice(0, 200) });
    this.fail(reason);
  }

  credit(bytes: number): void {
    this.#credit += bytes;
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
    if (this.#credit <= 0) this.#withoutSince = this.#clock.monotonic();
    this.#left = Math.max(0, this.#left - bytes.length);
    if (this.#queued <= QUEUE_BYTES) this.#wakeUp();
    return { kind: 'data', stream: this.id, bytes, onSent };
  }

  /** A piece that fills a frame by itself is not copied; several small ones are joined. */
  #take(limit: number): Piece {
    const parts: Piece[] = [];
    let size = 0;
    for (let head = this.#queue[0]; head !== undefined && size < limit; head = this.#queue[0]) {
      // A small remainder stays for the next frame instead of being copied.
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
    // Only after this frame was sent, although it is a copy: an earlier part of the last piece may still wait in the socket.
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
