import type { Command, ErrorReport } from '#protocol/messages/common.ts';
import type { AgentReport, FromMain } from '#protocol/messages/session.ts';
import { AGENT_CAPABILITIES } from '#protocol/capabilities.ts';
import { type AgentConfig, knownNames } from '../config/agentConfig.ts';
import { takeOver } from '../config/reloadable.ts';
import type { Root } from '#host/config/rootPath.ts';
import { errnoOf } from '#host/fs/errno.ts';
import { withRemedy } from '#host/fs/remedy.ts';
import type { Logger } from '#host/log/logger.ts';
import type { Database } from '#sync/state/database.ts';
import { STATE_RETRY, DeferredWriter } from '#sync/state/deferredWriter.ts';
import { type Clock, pause } from '#host/time/clock.ts';
import { Tasks } from '#host/process/tasks.ts';
import { jitter } from '#host/time/jitter.ts';
import { musicProof } from '../asterisk/proof/proveMusic.ts';
import { proofFor } from '../asterisk/activation/activation.ts';
import type { AgentDirectory } from '../directory/agentDirectory.ts';
import type { Credentials } from '../connection/credentials.ts';
import { Reconnector, type Welcome } from '../connection/reconnector.ts';
import type { AgentSession } from '../connection/agentSession.ts';
import type { Upgrades } from '../upgrade/upgrades.ts';
import { PendingReloads } from '../asterisk/reload/pendingReloads.ts';
import { type Answer, carryOut, type Figures } from './commands.ts';
import { answerCommand } from './answerCommand.ts';
import { fullPass } from './fullPass.ts';
import { MainTrust } from './mainTrust.ts';
import { OpenDirectories } from './openDirectories.ts';
import { OwnHistory } from './ownHistory.ts';
import { makeReport, type Reconciled, type ReportHearer } from './report.ts';

/** Reports that are due within this time are sent as one, milliseconds. */
const REPORT_GATHER = 25;

export type AgentOptions = {
  readonly config: AgentConfig;
  /** This program's own folders. */
  readonly own: readonly string[];
  readonly db: Database;
  readonly root: Root;
  readonly clock: Clock;
  readonly log: Logger;
  readonly credentials: Credentials;
  readonly upgrades: Upgrades;
  /** Size from which a file is transferred alone and can be resumed, bytes; the production value if absent. */
  readonly largeFrom?: number;
};

/** The daemon of an MDS: maintains the connection to Main and keeps its directories in sync. */
export class Agent {
  /** The configuration as last read. */
  config: AgentConfig;
  readonly link: Reconnector;
  readonly reloads: PendingReloads;
  /** The history of this MDS. */
  readonly history: OwnHistory;
  lastReconcile: Reconciled | undefined;
  readonly #options: AgentOptions;
  readonly #db: Database;
  readonly #keeper: DeferredWriter;
  readonly #stop = new AbortController();
  readonly #trust: MainTrust;
  readonly #open: OpenDirectories;
  #session: AgentSession | undefined;
  #welcome: Welcome | undefined;
  /** Resolves when the directories of this connection are open, or when it has ended. */
  #attached = Promise.withResolvers<void>();
  /** Background tasks, which end before the agent does. */
  readonly #tasks: Tasks;
  #cancelReport: (() => void) | undefined;

  constructor(options: AgentOptions) {
    this.#options = options;
    const { config, clock, log, db } = options;
    this.config = config;
    this.#tasks = new Tasks((what, error) => log.error(what, { error }));
    this.#db = db;
    this.#keeper = new DeferredWriter({
      db,
      clock,
      log,
      onNews: () => this.#news(),
      onRecovered: () => this.#tryAgain(),
    });
    this.#trust = new MainTrust(db, this.#keeper);
    const proveDialplan = proofFor(
      config.asterisk,
      () => this.#open.dialplan,
      (folder) => (this.#open.configFolder = folder),
    );
    const proveMusic = musicProof(config.asterisk);
    this.reloads = new PendingReloads({
      asterisk: config.asterisk,
      prove: (kind, signal) => (kind === 'moh' ? proveMusic : proveDialplan)(kind, signal),
      db,
      keeper: this.#keeper,
      clock,
      log,
      onNews: () => this.#news(),
    });
    const { own, root, largeFrom } = options;
    this.history = new OwnHistory({ db, keeper: this.#keeper, clock, name: this.name });
    this.#open = new OpenDirectories({
      config: () => this.config,
      own,
      root,
      db,
      keeper: this.#keeper,
      clock,
      log,
      reloads: this.reloads,
      history: this.history,
      onNews: () => this.#news(),
      largeFrom,
    });
    this.link = new Reconnector({
      bandwidth: () => this.config.bandwidth,
      credentials: options.credentials,
      hello: () => ({
        capabilities: [...AGENT_CAPABILITIES],
        lastUpgrade: options.upgrades.last,
        state: { stateId: this.#db.stateId, sequence: this.#db.sequence, runs: [...this.#db.runs] },
        directories: knownNames(this.config),
      }),
      clock,
      log,
      onWelcome: (session, welcome) =>
        this.#tasks.run('the agent could not begin with Main', () => this.#onWelcome(session, welcome)),
      onMessage: (session, message) => this.#onMessage(session, message),
      onLost: () => this.#onLost(),
    });
  }

  get name(): string {
    return this.#options.credentials.name;
  }

  /** The path of each directory here, without the --root prefix; also known while Main is unreachable. */
  get places(): ReadonlyMap<string, string> {
    return this.#open.places;
  }

  /** The same with the prefix. */
  readonly rooted = (place: string): string => this.#options.root.path(place);

  get directories(): ReadonlyMap<string, AgentDirectory> {
    return this.#open.all;
  }

  start(): void {
    this.link.start();
    this.#tasks.run('the certificate can not be renewed', () =>
      this.#options.credentials.keepRenewed(this.#stop.signal),
    );
    this.reloads.start();
    this.#tasks.run('there are no full passes any more', () => this.#reconcileForever());
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#cancelReport?.();
    await this.link.stop();
    // First, because a change set in progress may be waiting for its reload.
    await this.reloads.close();
    await this.#open.close();
    await this.#tasks.ended();
    this.#trust.write(this.#options.clock.monotonic());
    this.#keeper.close();
    this.#db.close();
  }

  /** Applies a new configuration as far as possible without a restart. */
  reconfigure(next: AgentConfig): void {
    const { config, changed, needRestart } = takeOver(this.config, next);
    this.config = config;
    const { log } = this.#options;
    log.info('configuration reloaded', { changed: changed.join(', ') || 'nothing' });
    if (needRestart.length > 0)
      log.warn('a restart is needed: systemctl restart xivo-xds-sync-agent', {
        changed: needRestart.join(', '),
      });
    // The paths of directories are determined when Main sends its list.
    if (changed.includes('directories') || changed.includes('allow'))
      this.#session?.close('the configuration was reloaded');
  }

  /** The report for Main and for `xivo-xds-sync-agent status`. */
  report(hearer: ReportHearer = { skipped: true, figures: true }): AgentReport {
    return makeReport({
      hearer,
      directories: [...this.directories.values()],
      troubles: [
        ...this.#options.credentials.troubles,
        ...(this.#keeper.trouble ? [this.#keeper.trouble] : []),
        ...this.#reloadTroubles(),
      ],
      unknown: this.#open.unplaced,
      clockOffsetMs: this.#session?.clockOffset.milliseconds ?? 0,
      lastReconcile: this.lastReconcile,
      reloads: this.reloads.recent,
      pendingReloads: this.reloads.pending,
      sequence: this.#db.sequence,
      now: this.#options.clock.now(),
    });
  }

  #reloadTroubles(): ErrorReport[] {
    return [...this.directories.values()].flatMap(
      ({ name, policy }) => this.reloads.troubleOf(policy.reload, name) ?? [],
    );
  }

  async #onWelcome(session: AgentSession, welcome: Welcome): Promise<void> {
    this.#session = session;
    this.#welcome = welcome;
    const attached = Promise.withResolvers<void>();
    this.#attached = attached;
    session.signal.addEventListener('abort', () => attached.resolve(), { once: true });
    this.#options.log.info('connected to Main', { version: welcome.version });
    try {
      await this.#open.open(welcome, this.#stop.signal);
    } catch (error) {
      this.#options.log.error('the directories can not be opened', { error });
      // A new connection retries a little later; this one is useless.
      await pause(this.#options.clock, STATE_RETRY, this.#stop.signal);
      return session.close(`the agent can not open its directories: ${withRemedy(errnoOf(error))}`);
    }
    if (this.#session !== session || this.#stop.signal.aborted) return;
    const reason = this.#trust.judge(welcome);
    if (reason !== undefined) this.#options.log.warn('removals on hold until confirmed', { reason });
    for (const directory of this.directories.values()) directory.attach(session, welcome.paused, reason);
    this.#attached.resolve();
    this.#news();
    await this.#reconcileAtConnect(session);
  }

  /** Changes made while disconnected are found by a scan of everything after the first pass. */
  async #reconcileAtConnect(session: AgentSession): Promise<void> {
    const directories = [...this.directories.values()];
    const here = await Promise.all(directories.map((directory) => directory.whenManifestIsHere()));
    if (here.includes(false)) return;
    await Promise.all(directories.map((directory) => directory.whenIdle()));
    if (this.#session === session && !this.#stop.signal.aborted) await this.#reconcileAndTell();
  }

  /** Runs in the background: an error is logged, and the next pass follows. */
  async #reconcileAndTell(): Promise<void> {
    try {
      await this.reconcile();
    } catch (error) {
      this.#options.log.error('a full pass failed', { error });
    }
  }

  /** Resumes the work that waited for the state to be writable. */
  #tryAgain(): void {
    for (const directory of this.directories.values()) directory.tryAgain();
  }

  /** Accepts Main's state once no directory waits because of the mismatch. */
  #rememberMain(): void {
    if (this.#session === undefined) return;
    const ready = [...this.directories.values()].every((directory) => directory.isSettledWithMain);
    if (ready) this.#trust.learn(this.#options.clock.monotonic());
  }

  #onLost(): void {
    this.#session = undefined;
    for (const directory of this.directories.values()) directory.detach();
  }

  #onMessage(session: AgentSession, message: FromMain): void {
    if ('sequence' in message) this.#trust.hear(message.sequence);
    if ('directory' in message) {
      // A directory that this host does not know gets nothing, because its manifest was never requested.
      this.directories.get(message.directory)?.onMessage(message);
      return;
    }
    if (message.type === 'paused')
      for (const directory of this.directories.values()) directory.pause(message.paused);
    else if (message.type === 'command')
      this.#tasks.run('a command of Main failed', () =>
        answerCommand(session, message, (figures, asked) => this.#carryOut(message.command, figures, asked), {
          ...this.#options,
          signal: this.#stop.signal,
        }),
      );
  }

  #carryOut(command: Command, figures: Figures, asked: AbortSignal): Promise<Answer> {
    return carryOut(command, {
      directories: this.directories,
      wanted: (this.#welcome?.directories ?? []).map(({ name }) => name),
      attached: this.#attached.promise,
      reconcile: () => this.reconcile(),
      upgrades: this.#options.upgrades,
      clock: this.#options.clock,
      signal: this.#stop.signal,
      asked,
      figures,
    });
  }

  /** A full pass over every directory. */
  async reconcile(): Promise<Answer> {
    const { clock } = this.#options;
    const startedAt = clock.monotonic();
    const pass = await fullPass({
      directories: [...this.directories.values()],
      reloads: this.reloads,
      tasks: this.#tasks,
      keepMs: this.config.trash.keepMs,
    });
    const ok = pass.ok && this.#open.unplaced.length === 0;
    const durationMs = Math.round(clock.monotonic() - startedAt);
    this.lastReconcile = { at: new Date(clock.now()).toISOString(), ok, durationMs };
    this.#options.log.info('reconciled', { ok, milliseconds: durationMs });
    this.#sendReport();
    const lines = this.report().errors.map(({ path, message }) => `${path}: ${message}`);
    return { ok, lines, actions: pass.actions };
  }

  async #reconcileForever(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await pause(this.#options.clock, jitter(this.#welcome?.reconcileEvery ?? 60_000), signal);
      if (this.#session !== undefined) await this.#reconcileAndTell();
    }
  }

  #news(): void {
    if (this.#stop.signal.aborted) return;
    this.#cancelReport ??= this.#options.clock.after(REPORT_GATHER, () => this.#sendReport());
  }

  #sendReport(): void {
    this.#cancelReport?.();
    this.#cancelReport = undefined;
    this.#rememberMain();
    const session = this.#session;
    const knows = session?.mainCapabilities;
    session?.send(
      this.report({ skipped: knows?.has('skipped') === true, figures: knows?.has('figures') === true }),
    );
  }
}
