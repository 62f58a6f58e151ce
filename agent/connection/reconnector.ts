import type { FromAgent, FromMain } from '#protocol/messages/session.ts';
import { PROTOCOL } from '#protocol/version.ts';
import type { Logger } from '#host/log/logger.ts';
import type { Bandwidth } from '#host/config/bandwidth.ts';
import { Backoff } from '#host/time/backoff.ts';
import { type Clock, pause } from '#host/time/clock.ts';
import { VERSION } from '#host/version.ts';
import { connectionTrouble } from '#wire/connectionTrouble.ts';
import type { Credentials } from './credentials.ts';
import { PinMismatch } from './dial.ts';
import { AgentSession, type DaemonHandlers } from './agentSession.ts';

/** Delays between attempts, milliseconds; short at first, since Main was probably only restarted. */
const FIRST_WAIT = 250;
const LONGEST_WAIT = 10_000;
/** A connection that lasted this long, milliseconds, resets the back-off. */
const STEADY = 10_000;

export type Welcome = Extract<FromMain, { type: 'welcome' }>;

export type LinkOptions = {
  readonly credentials: Pick<Credentials, 'connect' | 'learnNextMain'>;
  readonly hello: () => Omit<Extract<FromAgent, { type: 'hello' }>, 'type' | 'protocol' | 'version'>;
  /** The current configuration, which may be reloaded. */
  readonly bandwidth: () => Bandwidth;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onWelcome: (session: AgentSession, welcome: Welcome) => void;
  /** The handlers of what concerns the directories and the daemon. */
  readonly handlers: (session: AgentSession) => DaemonHandlers;
  readonly onLost: (reason: string) => void;
};

export type LinkState =
  | { readonly state: 'connecting'; readonly problem: string | undefined; readonly since: number }
  | { readonly state: 'connected'; readonly since: number };

/** Keeps one session with Main open, reconnecting with back-off. */
export class Reconnector {
  state: LinkState;
  readonly #options: LinkOptions;
  readonly #stop = new AbortController();
  #session: AgentSession | undefined;
  #done: Promise<void> = Promise.resolve();

  constructor(options: LinkOptions) {
    this.#options = options;
    this.state = { state: 'connecting', problem: undefined, since: options.clock.now() };
  }

  /** What this side still waits for: questions and streams of the session. */
  get openEnds(): number {
    return this.#session?.openEnds ?? 0;
  }

  start(): void {
    this.#done = this.#run();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#session?.close('the agent is stopping');
    await this.#done;
  }

  async #run(): Promise<void> {
    const backoff = new Backoff(FIRST_WAIT, LONGEST_WAIT);
    let lastLogged = '';
    while (!this.#stop.signal.aborted) {
      const startedAt = this.#options.clock.monotonic();
      const { problem, wasWelcome, isPinMismatch } = await this.#connectOnce();
      if (this.#stop.signal.aborted) return;
      // Back-off also after a welcome, so that incompatible programs don't reconnect in a tight loop.
      const wasSteady = wasWelcome && this.#options.clock.monotonic() - startedAt >= STEADY;
      if (wasSteady) backoff.reset();
      this.state = { state: 'connecting', problem, since: this.#options.clock.now() };
      // A repeated problem is logged once.
      if (problem !== lastLogged || wasSteady) {
        if (isPinMismatch) this.#options.log.error('ANOTHER MAIN ANSWERS', { reason: problem });
        else this.#options.log.warn('Main can not be reached', { reason: problem });
      }
      lastLogged = problem;
      await pause(this.#options.clock, backoff.next() * (0.5 + Math.random()), this.#stop.signal);
    }
  }

  /** One connection, from dialling to its end. */
  async #connectOnce(): Promise<{ problem: string; wasWelcome: boolean; isPinMismatch: boolean }> {
    let wasWelcome = false;
    try {
      const { socket } = await this.#options.credentials.connect(this.#stop.signal);
      const reason = await new Promise<string>((resolve) => {
        let refusal: string | undefined;
        const session = new AgentSession(socket, this.#options.clock, {
          bandwidth: this.#options.bandwidth,
          handlers: (made) => ({
            ...this.#options.handlers(made),
            refused: ({ reason }) => {
              refusal = reason;
            },
            welcome: (welcome) => {
              wasWelcome = true;
              this.#welcomed(made, welcome);
            },
            'next-identity': ({ pin }) => this.#learnNextMain(made, pin),
          }),
          onClose: (why) => resolve(refusal ?? why),
        });
        this.#session = session;
        if (this.#stop.signal.aborted) session.close('the agent is stopping');
        session.send({ type: 'hello', protocol: PROTOCOL, version: VERSION, ...this.#options.hello() });
      });
      this.#session = undefined;
      if (wasWelcome) this.#options.onLost(reason);
      return { problem: reason, wasWelcome, isPinMismatch: false };
    } catch (error) {
      const problem = connectionTrouble(error);
      return { problem, wasWelcome, isPinMismatch: error instanceof PinMismatch };
    }
  }

  #welcomed(session: AgentSession, welcome: Welcome): void {
    session.mainCapabilities = new Set(welcome.capabilities);
    this.state = { state: 'connected', since: this.#options.clock.now() };
    session.ping();
    this.#options.onWelcome(session, welcome);
  }

  #learnNextMain(session: AgentSession, pin: string): void {
    this.#options.credentials.learnNextMain(pin, () => session.send({ type: 'knows-identity', pin }));
  }
}
