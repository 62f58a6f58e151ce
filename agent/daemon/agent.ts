import type { Command } from '#protocol/messages/common.ts';
import type { AgentReport, FromMain } from '#protocol/messages/session.ts';
import { AGENT_CAPABILITIES } from '#protocol/capabilities.ts';
import { type AgentConfig, knownNames } from '../config/agentConfig.ts';
import { takeOver } from '../config/reloadable.ts';
import { DialplanReadings } from '#host/dialplan/readings.ts';
import { errnoOf } from '#host/fs/errno.ts';
import { withRemedy } from '#host/fs/remedy.ts';
import type { Database } from '#sync/state/database.ts';
import { STATE_RETRY, DeferredWriter } from '#sync/state/deferredWriter.ts';
import { pause } from '#host/time/clock.ts';
import { Tasks } from '#host/process/tasks.ts';
import { musicProof } from '../asterisk/proof/proveMusic.ts';
import { proofFor } from '../asterisk/activation/activation.ts';
import type { AgentDirectory } from '../directory/agentDirectory.ts';
import type { Credentials } from '../connection/credentials.ts';
import { Reconnector, type Welcome } from '../connection/reconnector.ts';
import type { AgentSession } from '../connection/agentSession.ts';
import type { Upgrades } from '../upgrade/upgrades.ts';
import { PendingReloads } from '../asterisk/reload/pendingReloads.ts';
import { type Answer, carryOut, type CommandRun } from './commands.ts';
import { answerCommand } from './answerCommand.ts';
import type { AgentHost, AgentState } from './agentHost.ts';
import { FullPasses } from './fullPasses.ts';
import { mainMessages } from './mainMessages.ts';
import { MainTrust } from './mainTrust.ts';
import { OpenDirectories } from './openDirectories.ts';
import { OwnHistory } from './ownHistory.ts';
import { Reporter } from './reporter.ts';

export type AgentOptions = {
  readonly config: AgentConfig;
  readonly host: AgentHost;
  readonly db: Database;
  readonly credentials: Credentials;
  readonly upgrades: Upgrades;
};

/** The daemon of an MDS: maintains the connection to Main and keeps its directories in sync. */
export class Agent {
  /** The configuration as last read. */
  config: AgentConfig;
  readonly link: Reconnector;
  readonly reloads: PendingReloads;
  /** The history of this MDS. */
  readonly history: OwnHistory;
  readonly #options: AgentOptions;
  readonly #state: AgentState;
  readonly #stop = new AbortController();
  readonly #trust: MainTrust;
  readonly #open: OpenDirectories;
  #session: AgentSession | undefined;
  #welcome: Welcome | undefined;
  /** Resolves when the directories of this connection are open, or when it has ended. */
  #attached = Promise.withResolvers<void>();
  /** Background tasks, which end before the agent does. */
  readonly #tasks: Tasks;
  readonly #reporter: Reporter;
  readonly #passes: FullPasses;

  constructor(options: AgentOptions) {
    this.#options = options;
    const { config, db, credentials } = options;
    const { clock, log } = options.host;
    this.config = config;
    this.#tasks = new Tasks((what, error) => log.error(what, { error }));
    // A fault of the state may be noticed before the reporter is there, which then reports it anyway.
    let reporter: Reporter | undefined;
    const onNews = (): void => reporter?.news();
    const keeper = new DeferredWriter({ db, clock, log, onNews, onRecovered: () => this.#tryAgain() });
    const state = { db, keeper };
    this.#state = state;
    this.#trust = new MainTrust(db, keeper);
    // What lint reads before a reload, the proof reads after it.
    const readings = new DialplanReadings(clock);
    const proveDialplan = proofFor(
      config.asterisk,
      () => this.#open.dialplan,
      readings,
      (folder) => (this.#open.configFolder = folder),
    );
    const proveMusic = musicProof(config.asterisk);
    this.reloads = new PendingReloads({
      asterisk: config.asterisk,
      prove: (kind, signal) => (kind === 'moh' ? proveMusic : proveDialplan)(kind, signal),
      db,
      keeper,
      clock,
      log,
      onNews,
    });
    this.history = new OwnHistory({ db, keeper, clock, name: this.name });
    this.#open = new OpenDirectories({
      config: () => this.config,
      host: options.host,
      state,
      reloads: this.reloads,
      history: this.history,
      readings,
      onNews,
    });
    const session = (): AgentSession | undefined => this.#session;
    const { reloads } = this;
    const onSend = (): void => this.#rememberMain();
    reporter = new Reporter({ directories: this.#open, reloads, credentials, state, clock, session, onSend });
    this.#reporter = reporter;
    this.#passes = new FullPasses({
      directories: this.#open,
      reloads,
      reporter,
      tasks: this.#tasks,
      keepMs: () => this.config.trash.keepMs,
      clock,
      log,
    });
    this.link = new Reconnector({
      bandwidth: () => this.config.bandwidth,
      credentials,
      hello: () => ({
        capabilities: [...AGENT_CAPABILITIES],
        lastUpgrade: options.upgrades.last,
        state: { stateId: db.stateId, sequence: db.sequence, runs: [...db.runs] },
        directories: knownNames(this.config),
      }),
      clock,
      log,
      onWelcome: (session, welcome) =>
        this.#tasks.run('the agent could not begin with Main', () => this.#onWelcome(session, welcome)),
      handlers: (session) =>
        mainMessages({
          directories: this.directories,
          trust: this.#trust,
          onCommand: (message) => this.#onCommand(session, message),
        }),
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
  readonly rooted = (place: string): string => this.#options.host.root.path(place);

  get directories(): ReadonlyMap<string, AgentDirectory> {
    return this.#open.all;
  }

  start(): void {
    this.link.start();
    this.#tasks.run('the certificate can not be renewed', () =>
      this.#options.credentials.keepRenewed(this.#stop.signal),
    );
    this.reloads.start();
    const every = (): number => this.#welcome?.reconcileEvery ?? 60_000;
    const isConnected = (): boolean => this.#session !== undefined;
    this.#tasks.run('there are no full passes any more', () =>
      this.#passes.repeat(every, isConnected, this.#stop.signal),
    );
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#reporter.close();
    await this.link.stop();
    // First, because a change set in progress may be waiting for its reload.
    await this.reloads.close();
    await this.#open.close();
    await this.#tasks.ended();
    this.#trust.write(this.#options.host.clock.monotonic());
    this.#state.keeper.close();
    this.#state.db.close();
  }

  /** Applies a new configuration as far as possible without a restart. */
  reconfigure(next: AgentConfig): void {
    const { config, changed, needRestart } = takeOver(this.config, next);
    this.config = config;
    const { log } = this.#options.host;
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
  report(): AgentReport {
    return this.#reporter.report();
  }

  async #onWelcome(session: AgentSession, welcome: Welcome): Promise<void> {
    this.#session = session;
    this.#welcome = welcome;
    const attached = Promise.withResolvers<void>();
    this.#attached = attached;
    session.signal.addEventListener('abort', () => attached.resolve(), { once: true });
    this.#options.host.log.info('connected to Main', { version: welcome.version });
    try {
      await this.#open.open(welcome, this.#stop.signal);
    } catch (error) {
      this.#options.host.log.error('the directories can not be opened', { error });
      // A new connection retries a little later; this one is useless.
      await pause(this.#options.host.clock, STATE_RETRY, this.#stop.signal);
      return session.close(`the agent can not open its directories: ${withRemedy(errnoOf(error))}`);
    }
    if (this.#session !== session || this.#stop.signal.aborted) return;
    const reason = this.#trust.judge(welcome);
    if (reason !== undefined) this.#options.host.log.warn('removals on hold until confirmed', { reason });
    for (const directory of this.directories.values()) directory.attach(session, welcome.paused, reason);
    this.#attached.resolve();
    this.#reporter.news();
    await this.#reconcileAtConnect(session);
  }

  /** Changes made while disconnected are found by a scan of everything after the first pass. */
  async #reconcileAtConnect(session: AgentSession): Promise<void> {
    const directories = [...this.directories.values()];
    const here = await Promise.all(directories.map((directory) => directory.manifest.whenHere()));
    if (here.includes(false)) return;
    await Promise.all(directories.map((directory) => directory.whenIdle()));
    if (this.#session === session && !this.#stop.signal.aborted) await this.#passes.runLogged();
  }

  /** Resumes the work that waited for the state to be writable. */
  #tryAgain(): void {
    for (const directory of this.directories.values()) directory.tryAgain();
  }

  /** Accepts Main's state once no directory waits because of the mismatch. */
  #rememberMain(): void {
    if (this.#session === undefined) return;
    const ready = [...this.directories.values()].every((directory) => directory.isSettledWithMain);
    if (ready) this.#trust.learn(this.#options.host.clock.monotonic());
  }

  #onLost(): void {
    this.#session = undefined;
    for (const directory of this.directories.values()) directory.detach();
  }

  #onCommand(session: AgentSession, message: Extract<FromMain, { type: 'command' }>): void {
    const { clock, log } = this.#options.host;
    const { signal } = this.#stop;
    const carry = (run: CommandRun): Promise<Answer> => this.#carryOut(message.command, run);
    this.#tasks.run('a command of Main failed', () =>
      answerCommand(session, message, carry, { clock, log, signal }),
    );
  }

  #carryOut(command: Command, run: CommandRun): Promise<Answer> {
    return carryOut(command, {
      directories: this.directories,
      wanted: (this.#welcome?.directories ?? []).map(({ name }) => name),
      attached: this.#attached.promise,
      scan: () => this.#passes.scanAhead(),
      reconcile: (isScanned) => this.#passes.run(isScanned),
      upgrades: this.#options.upgrades,
      history: this.history,
      clock: this.#options.host.clock,
      signal: this.#stop.signal,
      run,
    });
  }
}
