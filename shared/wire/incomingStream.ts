import { Buffer } from 'node:buffer';
import { WINDOW_BYTES } from '#protocol/limits.ts';
import { noteShortLived } from '#host/memory/shortLived.ts';
import type { Clock } from '#host/time/clock.ts';
import type { Pace } from './rateLimit.ts';
import { isOverwritten } from './readBuffers.ts';
import { WindowMemory } from './windowMemory.ts';

/** Most buffered chunks. A window of full frames is far fewer; smaller ones are merged, since each costs extra memory. */
const MAX_PIECES = 256;
/** Most bytes of chunks that are taken together: of each, archive and file are notified. */
const TOGETHER = 256 * 1024;
/** Bytes after which a stream is worth memory of its own. */
const LONG = 1024 * 1024;

export type IncomingHooks = {
  readonly grant: (bytes: number) => void;
  readonly cancel: (reason: string) => void;
  readonly done: () => void;
  /** Delays the next credit where the rate is limited. */
  readonly pace?: Pace | undefined;
  readonly clock: Clock;
};

/**
 * The receiving end of a stream: iterate over its chunks. Throws when the sender gives up or the connection is lost.
 * A chunk stays as it is until the reader has taken 960 KiB from its beginning on.
 */
export class IncomingStream implements AsyncIterable<Uint8Array> {
  readonly #hooks: IncomingHooks;
  /** Bytes that have come so far. */
  received = 0;
  #queue: Uint8Array[] = [];
  /** Bytes that the sender may still send. */
  #window = WINDOW_BYTES;
  #taken = 0;
  #ended = false;
  #failure: string | undefined;
  #wake: (() => void) | undefined;
  /** Since when the reader waits for the next chunk, monotonic milliseconds. */
  #waitingSince = 0;
  readonly #over = new AbortController();
  /** Of a long stream, and of each that finds some. */
  #memory: WindowMemory | undefined;

  constructor(hooks: IncomingHooks) {
    this.#hooks = hooks;
  }

  /**
   * @param bytes may be overwritten afterwards where {@link isOverwritten} says so
   * @returns false when the sender sends more than it may
   */
  push(bytes: Uint8Array): boolean {
    if (bytes.length > this.#window) return false;
    this.#window -= bytes.length;
    this.received += bytes.length;
    const isLent = isOverwritten(bytes);
    this.#enqueue(isLent ? this.#copy(bytes) : bytes);
    if (!isLent) noteShortLived(bytes.length);
    if (this.#queue.length > MAX_PIECES) this.#queue = [Buffer.concat(this.#queue)];
    this.#wakeUp();
    return true;
  }

  /** Chunks that lie side by side in memory are taken together. */
  #enqueue(chunk: Uint8Array): void {
    const last = this.#queue.at(-1);
    const length = (last?.length ?? 0) + chunk.length;
    if (last === undefined || length > TOGETHER || !isFollowedBy(last, chunk)) this.#queue.push(chunk);
    else this.#queue[this.#queue.length - 1] = Buffer.from(last.buffer, last.byteOffset, length);
  }

  #copy(bytes: Uint8Array): Uint8Array {
    this.#memory ??= WindowMemory.spare() ?? (this.received > LONG ? new WindowMemory() : undefined);
    return this.#memory?.copy(bytes) ?? Buffer.from(bytes);
  }

  /** All has been taken, and the reader uses no chunk any more: other streams may use the memory. */
  release(): void {
    this.#memory?.giveBack();
    this.#memory = undefined;
  }

  end(): void {
    this.#ended = true;
    this.#hooks.done();
    this.#wakeUp();
  }

  fail(reason: string): void {
    this.#failure ??= reason;
    this.#over.abort();
    this.#hooks.done();
    this.#wakeUp();
  }

  /** True when the reader has waited for the next chunk since before this time, monotonic milliseconds. */
  waitsSince(before: number): boolean {
    return this.#wake !== undefined && this.#waitingSince <= before;
  }

  /** Cancels the stream: the rest is not wanted. */
  cancel(reason: string): void {
    if (this.#ended || this.#failure !== undefined) return;
    this.#hooks.cancel(reason.slice(0, 1000));
    this.fail(reason);
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    for (;;) {
      const chunk = this.#queue.shift();
      if (chunk !== undefined) {
        yield chunk;
        await this.#hooks.pace?.pass(chunk.length, this.#over.signal);
        this.#give(chunk.length);
      } else if (this.#failure !== undefined) throw new Error(this.#failure);
      else if (this.#ended) return;
      else {
        this.#waitingSince = this.#hooks.clock.monotonic();
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    }
  }

  /** Returns credit in large amounts: one message for many frames. */
  #give(bytes: number): void {
    this.#taken += bytes;
    if (this.#taken < WINDOW_BYTES / 4 || this.#ended || this.#failure !== undefined) return;
    this.#hooks.grant(this.#taken);
    this.#window += this.#taken;
    this.#taken = 0;
  }

  #wakeUp(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}

function isFollowedBy(chunk: Uint8Array, next: Uint8Array): boolean {
  return chunk.buffer === next.buffer && chunk.byteOffset + chunk.length === next.byteOffset;
}
