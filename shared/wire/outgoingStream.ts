import type { Frame } from '#protocol/frames.ts';
import { MAX_FRAME_BYTES, WINDOW_BYTES } from '#protocol/limits.ts';
import type { Pace } from './rateLimit.ts';
import type { StreamScheduler } from './streamScheduler.ts';

/** Bytes that may wait here before the writer has to. */
const QUEUE_BYTES = 256 * 1024;

/** The sending end of a stream. `fail` may come at any time; then `write` and `end` throw. */
export class OutgoingStream {
  readonly id: number;
  readonly #pump: StreamScheduler;
  readonly #onDone: () => void;
  readonly #pace: Pace | undefined;
  readonly #queue: Uint8Array[] = [];
  #queued = 0;
  #credit = WINDOW_BYTES;
  #left: number;
  #ended = false;
  #finished = false;
  #failure: string | undefined;
  #wake: (() => void) | undefined;

  constructor(id: number, bytes: number, pump: StreamScheduler, onDone: () => void, pace?: Pace) {
    this.id = id;
    this.#left = bytes;
    this.#pump = pump;
    this.#onDone = onDone;
    this.#pace = pace;
    pump.add(this);
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

  /** Waits while the stream is full. @throws when the other side cancelled or the connection is gone */
  async write(bytes: Uint8Array): Promise<void> {
    this.#check();
    if (bytes.length === 0) return;
    await this.#pace?.pass(bytes.length);
    this.#check();
    this.#queue.push(bytes);
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
    const bytes = this.#take(Math.min(MAX_FRAME_BYTES, this.#credit));
    this.#credit -= bytes.length;
    this.#left = Math.max(0, this.#left - bytes.length);
    if (this.#queued <= QUEUE_BYTES) this.#wakeUp();
    return { kind: 'data', stream: this.id, bytes };
  }

  #take(limit: number): Uint8Array {
    const parts: Uint8Array[] = [];
    let size = 0;
    for (let head = this.#queue[0]; head !== undefined && size < limit; head = this.#queue[0]) {
      const part = head.subarray(0, limit - size);
      if (part.length === head.length) this.#queue.shift();
      else this.#queue[0] = head.subarray(part.length);
      parts.push(part);
      size += part.length;
    }
    this.#queued -= size;
    return parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts, size);
  }

  #finish(): void {
    this.#finished = true;
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
