import type { WebSocket } from 'ws';
import type { StepResult } from '#protocol/messages/common.ts';
import { type FromAgent, type FromMain, fromMainSchema } from '#protocol/messages/session.ts';
import type { Clock } from '#host/time/clock.ts';
import { Channel } from '#wire/channel.ts';
import { type Bandwidth, rateAt } from '#host/config/bandwidth.ts';
import { ClockOffset } from '#wire/clockOffset.ts';
import { dispatch, type Handlers } from '#wire/handlers.ts';
import { Heartbeat, STALLED } from '#wire/heartbeat.ts';
import type { IncomingStream } from '#wire/incomingStream.ts';
import type { OutgoingStream } from '#wire/outgoingStream.ts';
import { Questions } from '#wire/questions.ts';
import { RateLimit } from '#wire/rateLimit.ts';
import { stillAtWork } from '#wire/stillAtWork.ts';

const NO_PROGRESS = `Main answers pings but nothing else, for ${STALLED / 1000} s`;

/** What Main may send before its welcome. */
const BEFORE_WELCOME: ReadonlySet<FromMain['type']> = new Set([
  'welcome',
  'refused',
  'ping',
  'pong',
  'offer-result',
  'begun',
  'credit',
  'cancel',
]);

/** Main's messages that are about the connection itself. */
type ConnectionMessage = 'ping' | 'pong' | 'offer-result' | 'begun' | 'credit' | 'cancel';
/** Main's messages that begin or end a session, or are about its identity. */
type WelcomeMessage = 'welcome' | 'refused' | 'next-identity';

export type SessionHandlers = Omit<Handlers<FromMain>, ConnectionMessage>;
/** The handlers of what concerns the directories and the daemon. */
export type DaemonHandlers = Omit<SessionHandlers, WelcomeMessage>;

export type SessionHooks = {
  readonly bandwidth: () => Bandwidth;
  /** The handlers of what is not about the connection itself. */
  readonly handlers: (session: AgentSession) => SessionHandlers;
  readonly onClose: (reason: string) => void;
};

/** The agent's end of a session with Main. */
export class AgentSession {
  readonly clockOffset: ClockOffset;
  /** Main's capabilities beyond the protocol version. */
  mainCapabilities: ReadonlySet<string> = new Set();
  readonly #channel: Channel<FromMain, FromAgent>;
  readonly #clock: Clock;
  readonly #hooks: SessionHooks;
  readonly #handlers: Handlers<FromMain>;
  #isWelcome = false;
  readonly #results = new Questions<readonly StepResult[]>();
  readonly #resumeOffsets = new Questions<number>();
  /** Expected messages without which the connection is useless: Main's welcome, then the requested manifests. */
  readonly #needed = new Map<string, number>();
  readonly #heartbeat: Heartbeat;
  #nextStream = 1;
  #nextQuestion = 1;

  constructor(socket: WebSocket, clock: Clock, hooks: SessionHooks) {
    this.#clock = clock;
    this.#hooks = hooks;
    this.clockOffset = new ClockOffset();
    const handlers = hooks.handlers(this);
    this.#handlers = {
      ...handlers,
      ping: ({ sent }) => this.send({ type: 'pong', sent, time: clock.now() }),
      pong: ({ sent, time }) => this.clockOffset.measured(sent, time, clock.now()),
      'offer-result': ({ stream, results }) => void this.#results.answer(stream, results),
      begun: ({ id, bytes }) => void this.#resumeOffsets.answer(id, bytes),
      // The channel handles these.
      credit: () => undefined,
      cancel: () => undefined,
      welcome: (message) => {
        this.#isWelcome = true;
        this.#needed.delete('welcome');
        handlers.welcome(message);
      },
      'manifest-end': (message) => {
        this.#needed.delete(`manifest of ${message.directory}`);
        handlers['manifest-end'](message);
      },
    };
    this.#channel = new Channel(socket, {
      schema: fromMainSchema,
      onMessage: (message) => this.#receive(message),
      onClose: (reason) => this.#closed(reason),
      onHeard: (isProgress) => this.#heartbeat.heard(isProgress),
      clock,
      pace: paceOf(hooks.bandwidth, clock),
    });
    this.#heartbeat = new Heartbeat({
      clock,
      onBeat: () => this.ping(),
      onSilence: () => socket.terminate(),
      onStalled: (askedBefore) => this.#giveUp(askedBefore),
    });
    this.#needed.set('welcome', clock.monotonic());
  }

  get isOpen(): boolean {
    return this.#channel.isOpen;
  }

  /** Aborted when the connection has ended. */
  get signal(): AbortSignal {
    return this.#channel.signal;
  }

  /** Number of open requests and streams. */
  get openEnds(): number {
    return this.#results.size + this.#resumeOffsets.size + this.#channel.streams;
  }

  send(message: FromAgent): void {
    this.#channel.send(message);
  }

  /** Sends a ping, which measures the clock offset. */
  ping(): void {
    this.send({ type: 'ping', sent: this.#clock.now() });
  }

  /**
   * Requests Main's manifest of a directory.
   * @param have the digests of the manifest that is here; without them Main sends the whole one
   */
  wantManifest(directory: string, have?: string): void {
    this.#needed.set(`manifest of ${directory}`, this.#clock.monotonic());
    this.send({ type: 'want-manifest', directory, ...(have !== undefined && { have }) });
  }

  /** Requests files, whose archive arrives on the stream; an urgent stream is exempt from limits. @throws when too many streams are open */
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

  /** Asks Main for the resume offset of a content, bytes. Rejects when no answer can come any more. */
  resumeOffset(directory: string, hash: string): Promise<number> {
    const id = this.#nextQuestion++;
    return this.#resumeOffsets.ask(id, this.#clock.monotonic(), () =>
      this.send({ type: 'ask-begun', id, directory, hash }),
    );
  }

  /**
   * Offers changes to Main.
   * @param bytes size of the content that follows
   * @returns the stream for the content, and a promise of Main's results, which rejects when none can come any more
   */
  offer(
    directory: string,
    offers: Extract<FromAgent, { type: 'offer' }>['offers'],
    bytes: number,
  ): { out: OutgoingStream; results: Promise<readonly StepResult[]> } {
    const stream = this.#nextStream++;
    const out = this.#channel.openOutgoing(stream, bytes);
    const results = this.#results.ask(stream, this.#clock.monotonic(), () =>
      this.send({ type: 'offer', stream, directory, offers }),
    );
    return { out, results };
  }

  /** Waits for work here before a stream to Main can go on; Main keeps waiting for it, however long that takes. */
  whileAtWork<T>(stream: number, work: Promise<T>): Promise<T> {
    const say = (): void => this.send({ type: 'credit', stream, bytes: 0 });
    return stillAtWork(this.#clock, say, () => work);
  }

  close(reason: string): void {
    this.#channel.close(reason);
  }

  violation(what: string): void {
    this.#channel.violation(what);
  }

  #receive(message: FromMain): void {
    if (!this.#isWelcome && !BEFORE_WELCOME.has(message.type))
      return this.violation(`"${message.type}" before welcome`);
    dispatch(this.#handlers, message.type, message);
  }

  /** Fails the requests on which Main makes no progress; they are retried. */
  #giveUp(askedBefore: number): void {
    this.#results.giveUp(askedBefore, NO_PROGRESS);
    this.#resumeOffsets.giveUp(askedBefore, NO_PROGRESS);
    this.#channel.failStalled(askedBefore, NO_PROGRESS);
    for (const [what, asked] of this.#needed) {
      if (asked <= askedBefore) return this.close(`Main does not send its ${what}: reconnecting`);
    }
  }

  #closed(reason: string): void {
    this.#heartbeat.stop();
    this.#results.end(reason);
    this.#resumeOffsets.end(reason);
    this.#hooks.onClose(reason);
  }
}

function paceOf(bandwidth: () => Bandwidth, clock: Clock): { incoming: RateLimit; outgoing: RateLimit } {
  const rate = (): number => rateAt(bandwidth(), clock.now());
  return { incoming: new RateLimit(rate, clock), outgoing: new RateLimit(rate, clock) };
}
