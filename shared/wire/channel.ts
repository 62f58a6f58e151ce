import type { WebSocket } from 'ws';
import type * as z from 'zod';
import { interpreted } from '#protocol/interpreted.ts';
import { decodeFragments } from '#protocol/frames.ts';
import { MAX_STREAMS } from '#protocol/limits.ts';
import { errnoOf } from '#host/fs/errno.ts';
import { type Clock, systemClock } from '#host/time/clock.ts';
import { withRemedy } from '#host/fs/remedy.ts';
import { connectionTrouble } from './connectionTrouble.ts';
import { IncomingStream } from './incomingStream.ts';
import { OutgoingStream } from './outgoingStream.ts';
import type { Pace } from './rateLimit.ts';
import { StreamScheduler } from './streamScheduler.ts';

/** Close code for a peer that broke the protocol (RFC 6455, section 7.4.1: policy violation). */
const POLICY_VIOLATION = 1008;
/** readyState of a closed WebSocket. */
const SOCKET_CLOSED = 3;
/** The same for an error on this side. */
const INTERNAL_ERROR = 1011;
/** Number of ended streams that are remembered: frames for them may still be in flight and are not a violation. */
const REMEMBERED_STREAMS = 1024;
const MAX_CLOSE_REASON = 120;
/** Timeout of the closing handshake, milliseconds. */
const CLOSING = 1_000;
/**
 * Most bytes buffered for a peer that does not read. A peer that is disconnected for it loses nothing: it reconnects and
 * fetches the whole manifest page by page, at its own pace.
 */
const MAX_BACKLOG = 64 * 1024 * 1024;

/** Messages that the channel itself handles. */
type StreamControl =
  | { readonly type: 'credit'; readonly stream: number; readonly bytes: number }
  | { readonly type: 'cancel'; readonly stream: number; readonly reason: string };

export type ChannelOptions<In> = {
  /** Schema of every text message; an invalid message ends the connection. */
  readonly schema: z.ZodType<In>;
  readonly onMessage: (message: In) => void;
  /** Called once, with the reason when the peer broke the protocol. */
  readonly onClose: (reason: string) => void;
  /** Called for each message of the peer. @param isProgress false for a mere sign of life */
  readonly onHeard?: (isProgress: boolean) => void;
  readonly clock?: Clock;
  /** Limits the rate of all streams together, each way. */
  readonly pace?: { readonly incoming: Pace; readonly outgoing: Pace } | undefined;
};

/**
 * One connection: checked JSON messages, and byte streams that share it. A stream's sender waits for the
 * receiver's credit, and no stream may fill the socket, so neither side's memory grows with a slow peer.
 */
export class Channel<In extends { type: string }, Out extends { type: string }> {
  readonly #socket: WebSocket;
  readonly #options: ChannelOptions<In>;
  readonly #pump: StreamScheduler;
  readonly #outgoing = new Map<number, OutgoingStream>();
  readonly #incoming = new Map<number, IncomingStream>();
  readonly #ended = new Set<number>();
  readonly #clock: Clock;
  readonly #over = new AbortController();
  #cancelTermination: (() => void) | undefined;
  #offence = '';
  #closed = false;
  /** This side ends the connection: what it did not take up any more may still be under way. */
  #closing = false;

  constructor(socket: WebSocket, options: ChannelOptions<In>) {
    this.#socket = socket;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#pump = new StreamScheduler(socket);
    // Fragments as they arrive: `ws` would copy them into one buffer.
    socket.binaryType = 'fragments';
    socket.on('message', (data, isBinary) => this.#receive(data as Buffer | Buffer[], isBinary));
    // Where pings are answered, the pongs must not pile up either.
    socket.on('ping', () => this.#checkBacklog());
    socket.on('close', (_code, reason) => this.#onClose(reason.toString()));
    // The socket may have closed before the listeners were added.
    if (socket.readyState === SOCKET_CLOSED) queueMicrotask(() => this.#onClose(''));
    // 'close' follows; this keeps the reason for people.
    socket.on('error', (error) => (this.#offence ||= connectionTrouble(error)));
  }

  /** Aborted when the connection has ended, so that all waits on it end. */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  /** Number of open streams. */
  get streams(): number {
    return this.#outgoing.size + this.#incoming.size;
  }

  get isOpen(): boolean {
    return !this.#closed && this.#socket.readyState === this.#socket.OPEN;
  }

  send(message: Out): void {
    this.sendText(JSON.stringify(message));
  }

  /** Sends a message that is text already, since it goes to others, too. */
  sendText(text: string): void {
    if (this.isOpen && this.#checkBacklog()) this.#socket.send(text);
  }

  /** Sends, and resolves when the message has left this process: a slow peer slows the caller. */
  sendAndWait(message: Out): Promise<void> {
    if (!this.isOpen) return Promise.resolve();
    return new Promise((resolve) => this.#socket.send(JSON.stringify(message), () => resolve()));
  }

  /** Starts sending a stream. @param bytes about how much it will carry: little goes first @param urgent no limit slows it down */
  openOutgoing(id: number, bytes: number, urgent = false): OutgoingStream {
    if (this.#outgoing.has(id) || this.#ended.has(id)) throw new Error(`stream ${id} is in use`);
    if (this.#outgoing.size >= MAX_STREAMS) throw new Error(`more than ${MAX_STREAMS} streams at once`);
    const onDone = (): void => {
      this.#outgoing.delete(id);
      this.#remember(id);
    };
    const stream = new OutgoingStream(
      {
        id,
        bytes,
        pump: this.#pump,
        clock: this.#clock,
        pace: urgent ? undefined : this.#options.pace?.outgoing,
      },
      onDone,
    );
    if (this.#closed) stream.fail('the connection is closed');
    else this.#outgoing.set(id, stream);
    return stream;
  }

  /** Expects a stream. Its chunks come in order; taking them gives the sender credit. @param urgent no limit slows it down */
  openIncoming(id: number, urgent = false): IncomingStream {
    if (this.#incoming.has(id) || this.#ended.has(id)) throw new Error(`stream ${id} is in use`);
    if (this.#incoming.size >= MAX_STREAMS) throw new Error(`more than ${MAX_STREAMS} streams at once`);
    const stream = new IncomingStream({
      grant: (bytes) => this.#sendControl({ type: 'credit', stream: id, bytes }),
      cancel: (reason) => this.#sendControl({ type: 'cancel', stream: id, reason }),
      done: () => {
        this.#incoming.delete(id);
        this.#remember(id);
      },
      pace: urgent ? undefined : this.#options.pace?.incoming,
      clock: this.#clock,
    });
    if (this.#closed) stream.fail('the connection is closed');
    else this.#incoming.set(id, stream);
    return stream;
  }

  /** Ends the connection, saying why. */
  close(reason: string, code = 1000): void {
    this.#closing = true;
    this.#socket.close(code, reason.slice(0, MAX_CLOSE_REASON));
    // Don't wait for a peer that does not answer the closing handshake.
    this.#cancelTermination ??= this.#clock.after(CLOSING, () => this.#socket.terminate());
    if (this.#closed) this.#cancelTermination();
  }

  /** Fails the streams without progress since then, monotonic milliseconds. */
  failStalled(before: number, reason: string): void {
    for (const stream of this.#incoming.values()) if (stream.waitsSince(before)) stream.cancel(reason);
    for (const stream of this.#outgoing.values()) if (stream.waitsSince(before)) stream.abort(reason);
  }

  /** Ends the connection because the peer broke the protocol. */
  violation(what: string): void {
    this.#offence ||= `protocol violation: ${what}`;
    this.close(this.#offence, POLICY_VIOLATION);
  }

  #sendControl(control: StreamControl): void {
    this.sendText(JSON.stringify(control));
  }

  /** @returns false when the peer does not read, and the connection is ended for it */
  #checkBacklog(): boolean {
    if (this.#socket.bufferedAmount <= MAX_BACKLOG) return true;
    this.#offence ||= 'it does not read what it is sent';
    this.#socket.terminate();
    return false;
  }

  #receive(data: Buffer | Buffer[], isBinary: boolean): void {
    if (this.#offence !== '' || this.#closed) return;
    if (isBinary) this.#options.onHeard?.(true);
    if (isBinary) this.#receiveFrame(Array.isArray(data) ? data : [data]);
    else if (!Array.isArray(data)) this.#receiveMessage(data);
  }

  #receiveFrame(data: readonly Buffer[]): void {
    const frame = decodeFragments(data);
    if (frame === undefined) return this.violation('an invalid binary frame');
    const stream = this.#incoming.get(frame.stream);
    if (stream === undefined) {
      if (!this.#ended.has(frame.stream) && !this.#closing)
        this.violation(`a frame for stream ${frame.stream}, which was not requested`);
      return;
    }
    if (frame.kind === 'end') stream.end();
    else if (frame.kind === 'abort') stream.fail(frame.reason);
    else if (!stream.push(frame.bytes)) this.violation(`more on stream ${frame.stream} than was asked for`);
  }

  #receiveMessage(data: Buffer): void {
    let json: unknown;
    try {
      json = JSON.parse(data.toString('utf8'));
    } catch {
      return this.violation('a text frame that is not JSON');
    }
    let parsed: z.ZodSafeParseResult<In>;
    try {
      parsed = this.#options.schema.safeParse(json, interpreted(data.length));
    } catch {
      // An exception in a schema must not end the program.
      return this.violation('a message that can not be judged');
    }
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      return this.violation(`an invalid message (${issue?.path.join('.')}: ${issue?.message})`);
    }
    const message = parsed.data;
    this.#options.onHeard?.(message.type !== 'ping' && message.type !== 'pong');
    if (message.type === 'credit' || message.type === 'cancel')
      this.#control(message as unknown as StreamControl);
    else this.#handle(message);
  }

  /** An error while a message is handled ends this connection, not the program: the peer reconnects. */
  #handle(message: In): void {
    try {
      this.#options.onMessage(message);
    } catch (error) {
      this.#offence ||= `"${message.type}" could not be handled: ${withRemedy(errnoOf(error))}`;
      this.close(this.#offence, INTERNAL_ERROR);
    }
  }

  #control(control: StreamControl): void {
    const stream = this.#outgoing.get(control.stream);
    if (control.type === 'credit') stream?.credit(control.bytes);
    else stream?.fail(`the other side cancelled: ${control.reason}`);
  }

  #remember(id: number): void {
    this.#ended.add(id);
    if (this.#ended.size <= REMEMBERED_STREAMS) return;
    for (const oldest of this.#ended) {
      this.#ended.delete(oldest);
      break;
    }
  }

  #onClose(reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancelTermination?.();
    const why = this.#offence || reason || 'the connection was lost';
    for (const stream of [...this.#outgoing.values(), ...this.#incoming.values()]) stream.fail(why);
    this.#over.abort(new Error(why));
    this.#options.onClose(why);
  }
}
