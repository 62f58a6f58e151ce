import { EventEmitter } from 'node:events';
import type { WebSocket } from 'ws';

type Sent = { readonly data: Buffer; readonly isBinary: boolean; readonly done: (error?: Error) => void };

/** Called for each message that is about to arrive; false keeps it from arriving. */
export type Gate = (from: 'a' | 'b', data: Buffer, isBinary: boolean) => boolean;

/** One end of a line in memory, as `ws` shows it to this program. Messages arrive in order, each in a turn of its own. */
export class MemorySocket extends EventEmitter {
  readonly OPEN = 1;
  readyState = 1;
  bufferedAmount = 0;
  readonly #name: 'a' | 'b';
  readonly #line: MemoryLine;
  readonly #waiting: Sent[] = [];
  #scheduled = false;
  #paused = false;

  constructor(name: 'a' | 'b', line: MemoryLine) {
    super();
    this.#name = name;
    this.#line = line;
  }

  #fragment = Buffer.alloc(0);

  send(
    data: string | Uint8Array,
    options: { readonly fin?: boolean } | ((error?: Error) => void) = {},
    whenSent: (error?: Error) => void = () => undefined,
  ): void {
    const [fin, done] = typeof options === 'function' ? [true, options] : [options.fin !== false, whenSent];
    if (this.readyState !== this.OPEN) {
      queueMicrotask(() => done(new Error('WebSocket is not open')));
      return;
    }
    const isBinary = typeof data !== 'string';
    const bytes = Buffer.concat([this.#fragment, typeof data === 'string' ? Buffer.from(data) : data]);
    this.#fragment = fin ? Buffer.alloc(0) : bytes;
    if (!fin) return;
    this.bufferedAmount += bytes.length;
    this.#waiting.push({ data: bytes, isBinary, done });
    this.#schedule();
  }

  ping(): void {
    const { peer } = this;
    setImmediate(() => {
      if (this.#line.isSilent || peer.readyState !== peer.OPEN) return;
      peer.emit('ping');
      setImmediate(() => this.readyState === this.OPEN && this.emit('pong'));
    });
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.peer.#schedule();
  }

  /** What was sent before arrives before. If nothing arrives any more, there is no answer to this either. */
  close(code = 1000, reason = ''): void {
    if (this.readyState !== this.OPEN) return;
    this.readyState = 2;
    if (this.#line.isSilent) return;
    if (this.#waiting.length === 0) setImmediate(() => this.#line.end(code, reason));
    else this.#closing = { code, reason };
    this.#schedule();
  }

  #closing: { code: number; reason: string } | undefined;

  terminate(): void {
    this.#ended(1006, '');
    // The other end hears of it, unless the line is cut.
    if (!this.#line.isSilent) setImmediate(() => this.peer.#ended(1006, ''));
  }

  get peer(): MemorySocket {
    return this.#name === 'a' ? this.#line.b : this.#line.a;
  }

  /** @internal */
  goOn(): void {
    this.#schedule();
  }

  /** @internal */
  end(code: number, reason: string): void {
    this.#ended(code, reason);
  }

  #ended(code: number, reason: string): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    for (const { done } of this.#waiting.splice(0)) done(new Error('the line was cut'));
    this.bufferedAmount = 0;
    this.emit('close', code, Buffer.from(reason));
  }

  #schedule(): void {
    if (this.#scheduled || this.#waiting.length === 0) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#deliver();
    });
  }

  #deliver(): void {
    const { peer } = this;
    if (this.readyState === 3 || peer.#paused || this.#line.isHeld) return;
    const next = this.#waiting.shift();
    if (next === undefined) return;
    this.bufferedAmount -= next.data.length;
    const arrives = !this.#line.isSilent && this.#line.gate(this.#name, next.data, next.isBinary);
    next.done();
    if (arrives && peer.readyState !== 3) peer.emit('message', next.data, next.isBinary);
    if (this.#waiting.length === 0 && this.#closing !== undefined && !this.#line.isSilent)
      this.#line.end(this.#closing.code, this.#closing.reason);
    this.#schedule();
  }
}

/** A line with two ends, which the test can cut in each way that lines end. */
export class MemoryLine {
  readonly a: MemorySocket = new MemorySocket('a', this);
  readonly b: MemorySocket = new MemorySocket('b', this);
  gate: Gate;
  isSilent = false;
  /** Messages wait, in both directions, until it goes on. */
  isHeld = false;

  constructor(gate: Gate = () => true) {
    this.gate = gate;
  }

  goOn(): void {
    this.isHeld = false;
    this.a.goOn();
    this.b.goOn();
  }

  /** Both ends see the connection closed. */
  end(code: number, reason: string): void {
    this.a.end(code, reason);
    this.b.end(code, reason);
  }

  cut(how: 'close' | 'reset' | 'silence'): void {
    if (how === 'silence') this.isSilent = true;
    else if (how === 'close') this.end(1001, 'the line was closed');
    else {
      for (const end of [this.a, this.b])
        if (end.readyState !== 3) end.emit('error', new Error('ECONNRESET'));
      this.end(1006, '');
    }
  }

  get isOpen(): boolean {
    return this.a.readyState !== 3 || this.b.readyState !== 3;
  }
}

export function asWebSocket(socket: MemorySocket): WebSocket {
  return socket as unknown as WebSocket;
}
