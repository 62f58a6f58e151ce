import type { WebSocket } from 'ws';
import type { StepResult } from '#protocol/messages/common.ts';
import { type FromAgent, type FromMain, fromMainSchema } from '#protocol/messages/session.ts';
import type { Clock } from '#host/time/clock.ts';
import { Channel } from '#wire/channel.ts';
import type { IncomingStream } from '#wire/incomingStream.ts';
import { type Bandwidth, rateAt } from '#host/config/bandwidth.ts';
import { RateLimit } from '#wire/rateLimit.ts';
import type { OutgoingStream } from '#wire/outgoingStream.ts';
import { ClockOffset } from '#wire/clockOffset.ts';

/** Main says something at least every 5 s; silence for this long means that it is gone, milliseconds. */
const SILENCE = 15_000;
const PING_EVERY = 5_000;

export type SessionHooks = {
  readonly bandwidth: () => Bandwidth;
  readonly onMessage: (message: FromMain) => void;
  readonly onClose: (reason: string) => void;
};

/** The agent's end of its connection to Main. */
export class AgentSession {
  readonly clockOffset: ClockOffset;
  /** What Main can do beyond the protocol's version. */
  mainCapabilities: ReadonlySet<string> = new Set();
  readonly #channel: Channel<FromMain, FromAgent>;
  readonly #clock: Clock;
  readonly #hooks: SessionHooks;
  readonly #results = new Map<number, (results: readonly StepResult[] | Error) => void>();
  readonly #begun = new Map<number, (bytes: number | Error) => void>();
  readonly #heartbeat: NodeJS.Timeout;
  #nextStream = 1;
  #nextQuestion = 1;
  #heard: number;

  constructor(socket: WebSocket, clock: Clock, hooks: SessionHooks) {
    this.#clock = clock;
    this.#hooks = hooks;
    this.#heard = clock.monotonic();
    this.clockOffset = new ClockOffset();
    this.#channel = new Channel(socket, {
      schema: fromMainSchema,
      onMessage: (message) => this.#receive(message),
      onClose: (reason) => this.#closed(reason),
      pace: paceOf(hooks.bandwidth, clock),
    });
    this.#heartbeat = setInterval(() => {
      if (clock.monotonic() - this.#heard > SILENCE) socket.terminate();
      else this.ping();
    }, PING_EVERY);
  }

  get isOpen(): boolean {
    return this.#channel.isOpen;
  }

  send(message: FromAgent): void {
    this.#channel.send(message);
  }

  /** Measures the clocks' offset; the answer comes by itself. */
  ping(): void {
    this.send({ type: 'ping', sent: this.#clock.now() });
  }

  /** Asks for files; their archive comes on the stream, which no limit slows down when it is urgent. @throws when too many streams are open */
  get(
    directory: string,
    items: Extract<FromAgent, { type: 'get' }>['items'],
    urgent: boolean,
  ): IncomingStream {
    const stream = this.#nextStream++;
    const incoming = this.#channel.openIncoming(stream, urgent);
    this.send({ type: 'get', stream, directory, items });
    return incoming;
  }

  /** How much of a content Main has, bytes, since its transfer broke off. Rejects when the connection is lost. */
  begun(directory: string, hash: string): Promise<number> {
    const id = this.#nextQuestion++;
    const answer = new Promise<number>((resolve, reject) => {
      this.#begun.set(id, (bytes) => (bytes instanceof Error ? reject(bytes) : resolve(bytes)));
    });
    this.send({ type: 'ask-begun', id, directory, hash });
    return answer;
  }

  /**
   * Offers changes to Main.
   * @param bytes content that will follow
   * @returns the stream for the content, and Main's word on each offer; that rejects when the connection is lost
   */
  offer(
    directory: string,
    offers: Extract<FromAgent, { type: 'offer' }>['offers'],
    bytes: number,
  ): { out: OutgoingStream; results: Promise<readonly StepResult[]> } {
    const stream = this.#nextStream++;
    const out = this.#channel.openOutgoing(stream, bytes);
    const results = new Promise<readonly StepResult[]>((resolve, reject) => {
      this.#results.set(stream, (outcome) => (outcome instanceof Error ? reject(outcome) : resolve(outcome)));
    });
    this.send({ type: 'offer', stream, directory, offers });
    return { out, results };
  }

  close(reason: string): void {
    this.#channel.close(reason);
  }

  violation(what: string): void {
    this.#channel.violation(what);
  }

  #receive(message: FromMain): void {
    this.#heard = this.#clock.monotonic();
    if (message.type === 'ping') this.send({ type: 'pong', sent: message.sent, time: this.#clock.now() });
    else if (message.type === 'pong')
      this.clockOffset.measured(message.sent, message.time, this.#clock.now());
    else if (message.type === 'offer-result') {
      this.#results.get(message.stream)?.(message.results);
      this.#results.delete(message.stream);
    } else if (message.type === 'begun') {
      this.#begun.get(message.id)?.(message.bytes);
      this.#begun.delete(message.id);
    } else this.#hooks.onMessage(message);
  }

  #closed(reason: string): void {
    clearInterval(this.#heartbeat);
    for (const settle of this.#results.values()) settle(new Error(reason));
    this.#results.clear();
    for (const settle of this.#begun.values()) settle(new Error(reason));
    this.#begun.clear();
    this.#hooks.onClose(reason);
  }
}

function paceOf(bandwidth: () => Bandwidth, clock: Clock): { incoming: RateLimit; outgoing: RateLimit } {
  const rate = (): number => rateAt(bandwidth(), clock.now());
  return { incoming: new RateLimit(rate, clock), outgoing: new RateLimit(rate, clock) };
}
