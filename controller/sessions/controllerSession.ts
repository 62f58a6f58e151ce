import { randomInt } from 'node:crypto';
import type { WebSocket } from 'ws';
import type { Command, PlannedAction, StepResult, UpgradeOutcome } from '#protocol/messages/common.ts';
import {
  type AgentReport,
  type ArrivingFromAgent,
  type FromAgent,
  fromAgentSchema,
  type FromMain,
  type Hello,
  helloSchema,
} from '#protocol/messages/session.ts';
import { type ArrivingBody, bodyOfLines } from '#protocol/messages/answers.ts';
import { MAIN_CAPABILITIES } from '#protocol/capabilities.ts';
import { pagesOf } from '#protocol/pages.ts';
import { negotiate, PROTOCOL } from '#protocol/version.ts';
import type { OnCommit } from '#sync/apply/applier.ts';
import type { Owners } from '#host/fs/owners.ts';
import type { Logger } from '#host/log/logger.ts';
import { isNested } from '#core/path/nesting.ts';
import { isOverride, refusePath } from '#core/path/relative.ts';
import type { Applier } from '#sync/apply/applier.ts';
import type { Clock } from '#host/time/clock.ts';
import { ClockOffset } from '#wire/clockOffset.ts';
import { Channel } from '#wire/channel.ts';
import type { Pace } from '#wire/rateLimit.ts';
import { type Packed, packFiles } from '#sync/transfer/pack.ts';
import type { MainDirectory, Revision } from '../directories/mainDirectory.ts';
import { answersPing } from '../server/answersPing.ts';
import { errnoOf } from '#host/fs/errno.ts';
import { acceptOffers, onMain } from './offers/accept.ts';
import { AgentWords } from './agentWords.ts';
import { hasContent } from './offers/check.ts';
import { offersIn, refuseSet, resultsToSend } from './offers/results.ts';
import { noteOrigins } from './offers/noteClocks.ts';

/** A peer that says nothing for this long is dead, milliseconds. */
const SILENCE = 15_000;
const PING_EVERY = 5_000;
/** Paths in one page of a manifest. */
const PAGE = 1_000;
/** Lines that a dry run keeps of one answer. */
const MAX_ACTIONS = 500_000;

export type Answer = {
  readonly ok: boolean;
  /** Words for people. */
  readonly lines: readonly string[];
  readonly body?: ArrivingBody | undefined;
  readonly actions: readonly PlannedAction[];
};

export type SessionOptions = {
  readonly socket: WebSocket;
  readonly name: string;
  readonly pin: string;
  readonly address: string;
  readonly version: string;
  readonly directories: ReadonlyMap<string, MainDirectory>;
  readonly owners: Owners;
  readonly clock: Clock;
  readonly log: Logger;
  /** Limits what travels each way. */
  readonly pace: { readonly incoming: Pace; readonly outgoing: Pace };
  /** Main's state now. */
  readonly sequence: () => number;
  /** Why this MDS has to wait with a directory that is not held for all, or null. */
  readonly hold: (directory: string) => string | null;
  /** What Main tells the agent to keep to. */
  readonly terms: (
    hello: Hello,
  ) => Omit<Extract<FromMain, { type: 'welcome' }>, 'type' | 'protocol' | 'version' | 'name'>;
  /** Writes what an accepted offer means, in the transaction that ends its change set. */
  readonly recorder: (directory: MainDirectory, conflicts: ReadonlySet<string>) => OnCommit;
  readonly onReady: (session: ControllerSession) => void;
  readonly onApplied: (applied: Extract<FromAgent, { type: 'applied' }>) => void;
  readonly onReport: (session: ControllerSession, report: AgentReport) => void;
  /** The agent will know Main by this pin, too. */
  readonly onKnowsIdentity: (pin: string) => void;
  readonly onClose: (session: ControllerSession, reason: string) => void;
};

type Question = {
  actions: PlannedAction[];
  /** What an older agent says in lines. */
  readonly bodyOf: (lines: readonly string[]) => ArrivingBody | undefined;
  readonly resolve: (answer: Answer) => void;
};

/** One agent's connection, from hello to its end. */
export class ControllerSession {
  readonly name: string;
  readonly pin: string;
  readonly address: string;
  readonly since: number;
  agentVersion = '';
  capabilities: ReadonlySet<string> = new Set();
  lastUpgrade: UpgradeOutcome | undefined;
  report: AgentReport | undefined;
  /** How long the last change took from Main's disk to this MDS, milliseconds. */
  lastDeliveryMs: number | null = null;
  readonly #options: SessionOptions;
  readonly #channel: Channel<ArrivingFromAgent, FromMain>;
  readonly #questions = new Map<number, Question>();
  /** The directories whose whole manifest this agent has asked for: only these get changes. */
  readonly #following = new Set<string>();
  /** What of Main's manifests this agent understands. */
  #words = new AgentWords(new Set());
  readonly #sendingManifest = new Set<string>();
  /** Revisions that came into being while the agent followed, until the agent has caught up with them. */
  readonly #awaited = new Map<string, { revision: number; changedAt: number }>();
  #state: 'hello' | 'ready' | 'closed' = 'hello';
  #heard: number;
  readonly #heartbeat: NodeJS.Timeout;
  readonly #clock = new ClockOffset();

  constructor(options: SessionOptions) {
    this.#options = options;
    this.name = options.name;
    this.pin = options.pin;
    this.address = options.address;
    this.since = options.clock.now();
    this.#heard = options.clock.monotonic();
    this.#channel = new Channel(options.socket, {
      schema: fromAgentSchema,
      onMessage: (message) => this.#receive(message),
      onClose: (reason) => this.#closed(reason),
      pace: options.pace,
    });
    options.socket.on('message', () => (this.#heard = options.clock.monotonic()));
    this.#heartbeat = setInterval(() => this.#beat(), PING_EVERY);
  }

  /** When the oldest change was made that this MDS has not caught up with, milliseconds since 1970. */
  get awaitedSince(): number | undefined {
    const times = [...this.#awaited.values()].map(({ changedAt }) => changedAt);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  get isReady(): boolean {
    return this.#state === 'ready';
  }

  /** The agent's clock minus Main's, nanoseconds. An agent offers nothing before that was measured. */
  get #clockOffset(): bigint {
    return -this.#clock.nanoseconds;
  }

  /** Tells the agent what changed on Main. */
  tell(revision: Revision, changedAt: number): void {
    if (!this.#following.has(revision.directory)) return;
    if (!this.#awaited.has(revision.directory)) {
      this.#awaited.set(revision.directory, { revision: revision.revision, changedAt });
    }
    const { directory, items } = revision;
    const held = revision.held ?? this.#options.hold(directory);
    // A large change travels in pieces; each but the last leaves the agent one revision behind.
    const pages = [
      ...pagesOf(
        this.#words.of(
          directory,
          items.map(({ path, shown }) => [path, shown]),
        ),
      ),
    ];
    for (const [number, page] of (pages.length === 0 ? [[]] : pages).entries()) {
      const to = number + 1 >= pages.length ? revision.revision : revision.from;
      const sequence = this.#options.sequence();
      this.#channel.send({
        type: 'changes',
        directory,
        from: revision.from,
        revision: to,
        sequence,
        held,
        items: page,
      });
    }
  }

  /** Tells the agent again whether a directory is held; nothing else changed. */
  retell({ name, revision, replica }: MainDirectory): void {
    if (!this.#following.has(name)) return;
    const held = replica.held ?? this.#options.hold(name);
    const sequence = this.#options.sequence();
    this.#channel.send({
      type: 'changes',
      directory: name,
      from: revision,
      revision,
      sequence,
      held,
      items: [],
    });
  }

  /** Lets the agent compare its copy of Main's manifest. */
  check(directory: MainDirectory): void {
    // A copy that had to differ proves nothing.
    if (!this.#following.has(directory.name) || this.#words.differs(directory.name)) return;
    const { name, revision, shown } = directory;
    const sequence = this.#options.sequence();
    this.#channel.send({ type: 'check', directory: name, revision, sequence, digest: shown.digest });
  }

  /** What of a directory could not be said to this agent, and why, by path. */
  notSaid(directory: string): ReadonlyMap<string, string> {
    return this.#words.notSaid(directory);
  }

  /** Has the agent do something. Resolves with its answer; a connection that is lost answers, too. */
  command(command: Command): Promise<Answer> {
    if (!this.isReady) return Promise.resolve(failed('it is not connected'));
    const id = randomInt(1, 0xffff_ffff);
    return new Promise((resolve) => {
      this.#questions.set(id, {
        actions: [],
        bodyOf: (lines) => (this.capabilities.has('answers') ? undefined : bodyInLines(command, lines)),
        resolve,
      });
      this.#channel.send({ type: 'command', id, command });
    });
  }

  pause(paused: boolean): void {
    this.#channel.send({ type: 'paused', paused });
  }

  /** Tells the agent by which pin to know Main one day. */
  announce(pin: string): void {
    this.#channel.send({ type: 'next-identity', pin });
  }

  /** Whether the agent still answers. */
  isAlive(): Promise<boolean> {
    return answersPing(this.#options.socket);
  }

  close(reason: string): void {
    this.#channel.send({ type: 'refused', reason });
    this.#channel.close(reason);
  }

  #receive(message: ArrivingFromAgent): void {
    if (this.#state === 'hello') {
      if (message.type === 'hello') this.#welcome(message);
      else this.#channel.violation(`"${message.type}" before hello`);
      return;
    }
    switch (message.type) {
      case 'hello':
        return this.#channel.violation('a second hello');
      case 'want-manifest':
        return this.#withDirectory(message.directory, (directory) => void this.#sendManifest(directory));
      case 'get':
        return this.#withDirectory(message.directory, (directory) => void this.#send(directory, message));
      case 'offer':
        return this.#withDirectory(message.directory, (directory) => void this.#accept(directory, message));
      case 'ask-begun':
        return this.#withDirectory(message.directory, ({ applier }) => {
          this.#channel.send({ type: 'begun', id: message.id, bytes: bytesBegun(applier, message.hash) });
        });
      case 'report':
        return this.#onReport(message);
      case 'applied':
        return this.#withDirectory(message.directory, () => this.#options.onApplied(message));
      case 'answer-part':
        return this.#onAnswerPart(message.id, message.actions);
      case 'answer':
        return this.#onAnswer(message);
      case 'ping':
        return this.#channel.send({ type: 'pong', sent: message.sent, time: this.#options.clock.now() });
      case 'knows-identity':
        return this.#options.onKnowsIdentity(message.pin);
      case 'pong':
        return this.#clock.measured(message.sent, message.time, this.#options.clock.now());
      case 'credit':
      case 'cancel':
        return undefined;
    }
  }

  #welcome(greeting: Extract<ArrivingFromAgent, { type: 'hello' }>): void {
    const agreed = negotiate(PROTOCOL, greeting.protocol);
    if ('refusal' in agreed) {
      this.#options.log.warn('agent refused', { reason: agreed.refusal, agent: greeting.version });
      this.close(agreed.refusal);
      return;
    }
    const { success, data: hello } = helloSchema.safeParse(greeting);
    if (!success) return this.#channel.violation('a hello that makes no sense');
    this.agentVersion = hello.version;
    this.capabilities = new Set(hello.capabilities);
    this.#words = new AgentWords(this.capabilities);
    this.lastUpgrade = hello.lastUpgrade;
    const { name, version } = this.#options;
    this.#channel.send({
      type: 'welcome',
      protocol: agreed.version,
      version,
      name,
      capabilities: [...MAIN_CAPABILITIES],
      ...this.#options.terms(hello),
    });
    this.#ping();
    this.#state = 'ready';
    this.#options.onReady(this);
  }

  #withDirectory(name: string, work: (directory: MainDirectory) => void): void {
    const directory = this.#options.directories.get(name);
    if (directory === undefined) this.#channel.violation(`a directory "${name}" that Main does not have`);
    else work(directory);
  }

  async #sendManifest(directory: MainDirectory): Promise<void> {
    const { name } = directory;
    // One that is on its way ends with the newest revision, and needs no second beside it.
    if (this.#sendingManifest.has(name)) return;
    this.#sendingManifest.add(name);
    try {
      await this.#sendWholeManifest(directory);
    } finally {
      this.#sendingManifest.delete(name);
    }
  }

  async #sendWholeManifest(directory: MainDirectory): Promise<void> {
    const { name } = directory;
    const begun = directory.revision;
    const held = directory.replica.held ?? this.#options.hold(name);
    this.#channel.send({
      type: 'manifest-begin',
      directory: name,
      revision: begun,
      held,
      root: directory.rootEntry(),
    });
    this.#following.add(name);
    for (const items of pagesOf(this.#words.of(name, directory.shown.entries()), { most: PAGE })) {
      if (!this.#channel.isOpen) return;
      await this.#channel.sendAndWait({ type: 'manifest-page', directory: name, items });
    }
    const { revision } = directory;
    this.#channel.send({
      type: 'manifest-end',
      directory: name,
      revision,
      sequence: this.#options.sequence(),
    });
  }

  /** Sends the content of files, as long as they are what the agent takes them for. */
  async #send(directory: MainDirectory, request: Extract<FromAgent, { type: 'get' }>): Promise<void> {
    const files = request.items.map(({ path, hash, size, from, base }): Packed => {
      const refusal =
        refusePath(path) ??
        (isOverride(path) || isNested(directory.nested, path) ? 'it never travels' : undefined);
      const shown = directory.replica.get(path);
      const entry = shown?.kind === 'settled' && shown.entry.type === 'file' ? shown.entry : undefined;
      const same = entry?.hash === hash && entry.size === size;
      const why = refusal ?? (same ? undefined : 'changed on Main');
      return {
        path,
        size,
        ...(from !== undefined && { from }),
        base,
        stamp: directory.replica.stampAt(path) ?? '',
        ...(why !== undefined && { refusal: why }),
      };
    });
    try {
      const bytes = files.reduce((sum, { size, from = 0 }) => sum + Math.max(0, size - from), 0);
      const out = this.#channel.openOutgoing(request.stream, bytes, isUrgent(directory));
      await packFiles(directory.replica.path, files, out).catch((error: unknown) => {
        out.abort(String(error));
        throw error;
      });
    } catch (error) {
      this.#options.log.debug('transfer ended early', { directory: directory.name, error });
    }
  }

  async #accept(directory: MainDirectory, request: Extract<FromAgent, { type: 'offer' }>): Promise<void> {
    const { offers: arrived, stream: id } = request;
    const offers = offersIn(arrived);
    if (offers === undefined) return this.#refuse(id, refuseSet(arrived));
    const conflicts = new Set(offers.flatMap((offer) => (isConflict(offer) ? [offer.path] : [])));
    try {
      const stream = this.#channel.openIncoming(id, isUrgent(directory));
      const inHistory = this.#options.recorder(directory, conflicts);
      const record: OnCommit = (changeSet, done) => {
        inHistory(changeSet, done);
        noteOrigins(directory.origins, offers, done, this.#clockOffset);
      };
      const { results, outcomes } = await acceptOffers(directory, offers, stream, {
        mds: this.name,
        owners: this.#options.owners,
        record,
      });
      // Without content nothing comes on the stream.
      if (!offers.some(hasContent)) stream.end();
      directory.adopt(outcomes);
      this.#channel.send({ type: 'offer-result', stream: id, results: resultsToSend(results) });
    } catch (error) {
      this.#options.log.warn('offer was not taken', { directory: directory.name, error });
      const detail = onMain(errnoOf(error));
      const results = offers.map(({ path }) => ({ path, result: 'failed' as const, detail }));
      this.#channel.send({ type: 'offer-result', stream: id, results: resultsToSend(results) });
    }
  }

  /** Takes nothing of a set of offers, and no content. */
  #refuse(stream: number, results: StepResult[]): void {
    try {
      this.#channel.openIncoming(stream).cancel('an offer makes no sense');
    } catch (error) {
      // Its number is one that is in use: that is no sense either.
      return this.#channel.violation(errnoOf(error));
    }
    this.#channel.send({ type: 'offer-result', stream, results: resultsToSend(results) });
  }

  #onReport(report: AgentReport): void {
    this.report = report;
    for (const { name, revision, pending } of report.directories) {
      const awaited = this.#awaited.get(name);
      const directory = this.#options.directories.get(name);
      if (awaited === undefined || revision < awaited.revision || pending > 0 || directory === undefined)
        continue;
      this.#awaited.delete(name);
      this.lastDeliveryMs = Math.max(0, Math.round(this.#options.clock.now() - awaited.changedAt));
    }
    this.#options.onReport(this, report);
  }

  #onAnswerPart(id: number, actions: readonly PlannedAction[]): void {
    const question = this.#questions.get(id);
    if (question === undefined) return this.#channel.violation('an answer to nothing');
    if (question.actions.length + actions.length > MAX_ACTIONS)
      return this.#channel.violation('an answer without end');
    question.actions.push(...actions);
  }

  #onAnswer({ id, ok, lines, body }: Extract<ArrivingFromAgent, { type: 'answer' }>): void {
    const question = this.#questions.get(id);
    if (question === undefined) return this.#channel.violation('an answer to nothing');
    this.#questions.delete(id);
    const { actions } = question;
    const inLines = question.bodyOf(lines);
    // Then the lines are no words for people.
    if (inLines !== undefined && inLines.to !== 'nonsense')
      question.resolve({ ok, lines: [], actions, body: inLines });
    else question.resolve({ ok, lines, actions, body: body ?? inLines });
  }

  #beat(): void {
    const silent = this.#options.clock.monotonic() - this.#heard;
    if (silent > SILENCE) {
      this.#options.log.warn('agent fell silent', { seconds: Math.round(silent / 1000) });
      this.#options.socket.terminate();
    } else if (this.isReady) this.#ping();
    else if (this.#options.clock.now() - this.since > SILENCE) this.#channel.violation('no hello');
  }

  /** Measures the clocks' offset, and finds a dead peer; the answer comes by itself. */
  #ping(): void {
    this.#channel.send({ type: 'ping', sent: this.#options.clock.now() });
  }

  #closed(reason: string): void {
    this.#state = 'closed';
    clearInterval(this.#heartbeat);
    for (const { resolve } of this.#questions.values())
      resolve(failed(`the connection was lost (${reason})`));
    this.#questions.clear();
    this.#options.onClose(this, reason);
  }
}

/** A directory that can't be opened has nothing to go on with; the offer that follows tells why it can't. */
function bytesBegun(applier: Applier, hash: string): number {
  try {
    return applier.begun(hash);
  } catch {
    return 0;
  }
}

/** A dialplan change waits for nothing. */
function isUrgent({ config }: MainDirectory): boolean {
  return config.reload === 'dialplan';
}

function isConflict(offer: { op: string; conflict?: boolean }): boolean {
  return offer.op === 'keep' || offer.conflict === true;
}

function bodyInLines({ do: to }: Command, lines: readonly string[]): ArrivingBody | undefined {
  return to === 'why' || to === 'verify' || to === 'trash-list' ? bodyOfLines(to, lines) : undefined;
}

function failed(line: string): Answer {
  return { ok: false, lines: [line], actions: [] };
}
