import type { WebSocket } from 'ws';
import type { Command, UpgradeOutcome } from '#protocol/messages/common.ts';
import {
  type AgentReport,
  type ArrivingFromAgent,
  type CommandFigures,
  fromAgentSchema,
  type FromMain,
  helloSchema,
} from '#protocol/messages/session.ts';
import { MAIN_CAPABILITIES } from '#protocol/capabilities.ts';
import { negotiate, PROTOCOL } from '#protocol/version.ts';
import type { HostServices } from '#host/hostServices.ts';
import { Tasks } from '#host/process/tasks.ts';
import { Channel } from '#wire/channel.ts';
import { ClockOffset } from '#wire/clockOffset.ts';
import { Heartbeat, STALLED } from '#wire/heartbeat.ts';
import type { Pace } from '#wire/rateLimit.ts';
import type { MainDirectory } from '../directories/mainDirectory.ts';
import type { Revision } from '../directories/publication.ts';
import { answersPing } from '../server/answersPing.ts';
import { AgentMessages } from './agentMessages.ts';
import { type Answer, CommandCalls, failed } from './commandCalls.ts';
import { ContentRequests } from './content/contentRequests.ts';
import { Lag } from './lag.ts';
import { ManifestSender } from './manifest/manifestSender.ts';
import type { Grant } from './offers/grant.ts';
import { Prunings } from './prunings.ts';
import { Traffic } from './content/traffic.ts';
import type { SessionOwner } from './sessionOwner.ts';
import { type SessionEvent, type SessionState, transition } from './sessionState.ts';

/** Timeout for the agent's hello, milliseconds. */
const GREETING = 15_000;

/** Who is at the other end, as authenticated by its key. */
export type AgentPeer = {
  readonly socket: WebSocket;
  readonly name: string;
  readonly pin: string;
  readonly address: string;
};

export type SessionOptions = {
  readonly peer: AgentPeer;
  /** Main's version. */
  readonly version: string;
  readonly directories: ReadonlyMap<string, MainDirectory>;
  readonly host: HostServices;
  /** Bandwidth limits in both directions. */
  readonly pace: { readonly incoming: Pace; readonly outgoing: Pace };
  readonly owner: SessionOwner;
};

/** The session of one agent, from hello to the end of the connection. */
export class ControllerSession {
  readonly name: string;
  readonly pin: string;
  readonly address: string;
  readonly since: number;
  agentVersion = '';
  capabilities: ReadonlySet<string> = new Set();
  lastUpgrade: UpgradeOutcome | undefined;
  report: AgentReport | undefined;
  readonly #options: SessionOptions;
  readonly #channel: Channel<ArrivingFromAgent, FromMain>;
  readonly #heartbeat: Heartbeat;
  readonly #calls: CommandCalls;
  readonly #content: ContentRequests;
  readonly #messages: AgentMessages;
  readonly #lag: Lag;
  /** What the agent is sent of Main's manifests. */
  readonly manifests: ManifestSender;
  /** What travels either way. */
  readonly traffic: Traffic;
  readonly prunings = new Prunings();
  readonly #clock = new ClockOffset();
  /** Running work for this agent. It is completed even when the connection ends. */
  readonly #tasks: Tasks;
  readonly #closed = Promise.withResolvers<void>();
  #state: SessionState = 'greeting';

  constructor(options: SessionOptions) {
    const { peer, host, owner } = options;
    const { socket, name, pin, address } = peer;
    const { clock, log } = host;
    this.#options = options;
    this.name = name;
    this.pin = pin;
    this.address = address;
    this.since = clock.now();
    this.#tasks = new Tasks((what, error) => log.error(what, { error }));
    this.#calls = new CommandCalls(name);
    this.#lag = new Lag(clock);
    this.traffic = new Traffic(() => clock.monotonic());
    this.#channel = new Channel(socket, {
      schema: fromAgentSchema,
      onMessage: (message) => this.#receive(message),
      onClose: (reason) => this.#onClosed(reason),
      onHeard: (isProgress) => this.#heartbeat.heard(isProgress),
      clock,
      pace: options.pace,
    });
    this.manifests = new ManifestSender({
      line: this.#channel,
      sequence: () => owner.sequence(),
      hold: (directory) => owner.hold(directory),
      saveOf: (directory, path) => options.directories.get(directory)?.originators.of(path).save ?? null,
    });
    this.#content = new ContentRequests({
      mds: name,
      line: this.#channel,
      host,
      clockOffset: this.#clock,
      tasks: this.#tasks,
      traffic: this.traffic,
      recorder: (directory, conflicts, grant) => owner.recorder(directory, conflicts, grant),
    });
    this.#messages = new AgentMessages({
      line: this.#channel,
      directories: options.directories,
      clock,
      clockOffset: this.#clock,
      tasks: this.#tasks,
      parts: {
        manifests: this.manifests,
        content: this.#content,
        calls: this.#calls,
        records: {
          applied: (applied) => owner.applied(applied, this.prunings.of(applied)),
          reported: (report) => this.#onReport(report),
          knowsIdentity: (known) => owner.knowsIdentity(known),
        },
      },
    });
    const greetBefore = clock.monotonic() + GREETING;
    this.#heartbeat = new Heartbeat({
      clock,
      onBeat: (wasHeard) => {
        if (this.#state === 'ready') this.#pingIfDue(wasHeard);
        else if (clock.monotonic() > greetBefore) this.#channel.violation('no hello');
      },
      onSilence: (milliseconds) => {
        log.warn('agent fell silent', { seconds: Math.round(milliseconds / 1000) });
        socket.terminate();
      },
      onStalled: (askedBefore) => {
        this.#calls.giveUp(askedBefore);
        this.#channel.failStalled(askedBefore, `${this.name} sent nothing for ${STALLED / 1000} s`);
      },
    });
  }

  get isReady(): boolean {
    return this.#state === 'ready';
  }

  get isClosed(): boolean {
    return this.#state === 'closed';
  }

  /** Time of the last delivery from Main's disk to this MDS, milliseconds. */
  get lastDeliveryMs(): number | null {
    return this.#lag.milliseconds;
  }

  /** Time of the oldest change that this MDS does not have yet, milliseconds since 1970. */
  get awaitedSince(): number | undefined {
    return this.#lag.since;
  }

  /** Resolves when the connection has ended and all work for this agent is done. */
  get ended(): Promise<void> {
    return this.#closed.promise.then(() => this.#tasks.ended());
  }

  /** Number of open commands, streams and offers. */
  get openEnds(): number {
    return this.#calls.size + this.#channel.streams + this.#tasks.size;
  }

  /** Sends the agent a new revision of Main's. @param changedAt milliseconds since 1970 */
  announceRevision(revision: Revision, changedAt: number): void {
    if (this.manifests.follows(revision.directory)) this.#lag.expect(revision, changedAt);
    this.#tasks.run('a manifest could not be sent', () => this.manifests.announce(revision));
  }

  /** Sends the agent whether a directory is held; nothing else changed. */
  announceHold(directory: MainDirectory): void {
    this.#tasks.run('a hold could not be sent', () => this.manifests.announceHold(directory));
  }

  /**
   * Sends the agent a command. Resolves with its answer, or with a failure when the connection is lost or the agent makes
   * no progress for 30 s.
   * @param onFigures called when the agent reports progress
   */
  command(command: Command, onFigures?: (figures: CommandFigures) => void): Promise<Answer> {
    if (!this.isReady) return Promise.resolve(failed('it is not connected'));
    // An older agent fetches and installs a package without reporting progress.
    const isPatient = command.do === 'upgrade' && !this.capabilities.has('progress');
    const saysData = this.capabilities.has('answers');
    const now = this.#options.host.clock.monotonic();
    return this.#calls.call(command, { now, isPatient, saysData, onFigures }, (id) =>
      this.#channel.send({ type: 'command', id, command }),
    );
  }

  /** Asks the agent to offer files that a person has seen, and permits that offer. Resolves like {@link command}. */
  take(files: Extract<Command, { do: 'give' }>['files'], grant: Grant): Promise<Answer> {
    return this.#content.withGrant(grant, () =>
      this.command({ do: 'give', directory: grant.directory, files }),
    );
  }

  pause(paused: boolean): void {
    this.#channel.send({ type: 'paused', paused });
  }

  /** Sends the agent the pin of Main's next key. */
  announceNextPin(pin: string): void {
    this.#channel.send({ type: 'next-identity', pin });
  }

  /** Whether the agent still answers a ping. */
  isAlive(): Promise<boolean> {
    return answersPing(this.#options.peer.socket, this.#options.host.clock);
  }

  close(reason: string): void {
    this.#go('close');
    this.#channel.send({ type: 'refused', reason });
    this.#channel.close(reason);
  }

  #go(event: SessionEvent): void {
    this.#state = transition(this.#state, event);
  }

  #receive(message: ArrivingFromAgent): void {
    if (this.#state === 'greeting') {
      if (message.type === 'hello') this.#welcome(message);
      else this.#channel.violation(`"${message.type}" before hello`);
      return;
    }
    // A message that was in flight when this side ended the session is not handled any more.
    if (this.#state === 'ready') this.#messages.receive(message);
  }

  #welcome(greeting: Extract<ArrivingFromAgent, { type: 'hello' }>): void {
    const agreed = negotiate(PROTOCOL, greeting.protocol);
    if ('refusal' in agreed) {
      this.#options.host.log.warn('agent refused', { reason: agreed.refusal, agent: greeting.version });
      this.close(agreed.refusal);
      return;
    }
    const { success, data: hello } = helloSchema.safeParse(greeting);
    if (!success) return this.#channel.violation('an invalid hello');
    this.agentVersion = hello.version;
    this.capabilities = new Set(hello.capabilities);
    this.manifests.speakTo(this.capabilities);
    this.lastUpgrade = hello.lastUpgrade;
    const { version, owner } = this.#options;
    const own = { protocol: agreed.version, version, name: this.name, capabilities: [...MAIN_CAPABILITIES] };
    this.#channel.send({ type: 'welcome', ...own, ...owner.terms(hello) });
    this.#pingIfDue(true);
    this.#go('welcomed');
    owner.ready(this);
  }

  #onReport(report: AgentReport): void {
    this.report = report;
    this.traffic.reported();
    const delivered = this.#lag.reported(report, (name) => this.#options.directories.has(name));
    this.#options.owner.reported(report, delivered);
  }

  /** Agents ping Main every 5 s, so its own pings are for one that is silent, and to measure the clock offset. */
  #pingIfDue(wasHeard: boolean): void {
    const now = this.#options.host.clock.now();
    if (!wasHeard || this.#clock.isDue(now)) this.#channel.send({ type: 'ping', sent: now });
  }

  #onClosed(reason: string): void {
    this.#go('ended');
    this.#heartbeat.stop();
    this.#calls.end(reason);
    this.#options.owner.closed(this, reason);
    this.#closed.resolve();
  }
}
