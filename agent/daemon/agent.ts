import path from 'node:path';
import type { Command, DirectoryPolicy, ErrorReport } from '#protocol/messages/common.ts';
import type { AgentReport, FromMain } from '#protocol/messages/session.ts';
import { AGENT_CAPABILITIES } from '#protocol/capabilities.ts';
import { linesOfBody } from '#protocol/messages/answers.ts';
import { MAX_ITEMS, MAX_PAGE_BYTES } from '#protocol/limits.ts';
import { pagesOf, whatFits } from '#protocol/pages.ts';
import type { AgentConfig } from '../config/agentConfig.ts';
import { DEFAULT_DIRECTORIES } from '#host/config/directoryConfig.ts';
import type { Root } from '#host/config/rootPath.ts';
import { errnoOf } from '#host/fs/errno.ts';
import { Owners } from '#host/fs/owners.ts';
import { withRemedy } from '#host/fs/remedy.ts';
import type { Logger } from '#host/log/logger.ts';
import { nestedInside } from '#core/path/nesting.ts';
import type { Database } from '#sync/state/database.ts';
import { StateMemory } from '#sync/state/peerState.ts';
import { STATE_RETRY, DeferredWriter } from '#sync/state/deferredWriter.ts';
import { type Clock, pause } from '#host/time/clock.ts';
import { stillAtWork } from '#wire/stillAtWork.ts';
import { Tasks } from '#host/process/tasks.ts';
import { jitter } from '#host/time/jitter.ts';
import { musicProof } from '../asterisk/proof/proveMusic.ts';
import { Activation, proofFor } from '../asterisk/activation/activation.ts';
import type { DialplanPlace } from '#host/dialplan/place.ts';
import { ReaderLease } from '../asterisk/activation/readerLease.ts';
import { placeOf } from '../directory/placeOf.ts';
import { AgentDirectory } from '../directory/agentDirectory.ts';
import type { Credentials } from '../connection/credentials.ts';
import { Reconnector, type Welcome } from '../connection/reconnector.ts';
import type { AgentSession } from '../connection/agentSession.ts';
import type { Upgrades } from '../upgrade/upgrades.ts';
import { Reloads } from '../asterisk/reload/owedReloads.ts';
import { type Answer, carryOut } from './commands.ts';
import { makeReport, type Reconciled } from './report.ts';

/** Reports that are due within this time travel as one, milliseconds. */
const REPORT_GATHER = 25;

/** Characters of what went wrong with a command of Main. */
const MAX_REASON = 4_000;

/** In the state: why nothing may be removed before a person confirms. */
const STRANGE = 'strange';

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
};

/** The daemon of an MDS: keeps the link to Main, and its directories true. */
export class Agent {
  /** As the files said when they were last read. */
  config: AgentConfig;
  readonly directories = new Map<string, AgentDirectory>();
  readonly link: Reconnector;
  readonly reloads: Reloads;
  lastReconcile: Reconciled | undefined;
  readonly #options: AgentOptions;
  readonly #db: Database;
  readonly #keeper: DeferredWriter;
  /** Why nothing may be removed before a person confirms, as it is written down. */
  #strange: string | undefined;
  readonly #owners = new Owners();
  readonly #stop = new AbortController();
  readonly #memory: StateMemory;
  #mainSequence = 0;
  /** Where the dialplan lies, once Main has said which directory it is. */
  #dialplan: DialplanPlace | undefined;
  /** Asterisk's own, once it was asked. */
  #configFolder: string | undefined;
  #session: AgentSession | undefined;
  #welcome: Welcome | undefined;
  /** The directories are open that the connection is about, or it has ended. */
  #attached = Promise.withResolvers<void>();
  /** What runs beside: nothing of it outlives this. */
  readonly #tasks: Tasks;
  #opening: Promise<void> = Promise.resolve();
  #cancelReport: (() => void) | undefined;
  /** Directories that Main has and that can't lie here, and why. */
  #unknown: { name: string; message: string }[] = [];

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
      onHealed: () => this.#tryAgain(),
    });
    this.#strange = db.meta(STRANGE);
    this.#memory = new StateMemory(db, this.#keeper, 'main');
    const proveDialplan = proofFor(
      config.asterisk,
      () => this.#dialplanPlace(),
      (folder) => (this.#configFolder = folder),
    );
    const proveMusic = musicProof(config.asterisk);
    this.reloads = new Reloads({
      asterisk: config.asterisk,
      prove: (kind, signal) => (kind === 'moh' ? proveMusic : proveDialplan)(kind, signal),
      db,
      keeper: this.#keeper,
      clock,
      log,
      onNews: () => this.#news(),
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
    // First: a change set in hand may be waiting for its reload.
    await this.reloads.close();
    await Promise.all([...this.directories.values()].map((directory) => directory.close()));
    await this.#tasks.ended();
    this.#memory.write(this.#options.clock.monotonic());
    this.#keeper.close();
    this.#db.close();
  }

  /** Takes a new configuration over as far as that goes without a restart. */
  reconfigure(next: AgentConfig): void {
    const { config } = this;
    const { bandwidth, trash, directories, allow } = next;
    const differs = (key: keyof AgentConfig): boolean =>
      JSON.stringify(config[key]) !== JSON.stringify(next[key]);
    const changed = (['bandwidth', 'trash', 'directories', 'allow'] as const).filter(differs);
    const needRestart = (['main', 'name', 'localAddress', 'asterisk', 'reserveBytes'] as const).filter(
      differs,
    );
    this.config = { ...config, bandwidth, trash, directories, allow };
    const { log } = this.#options;
    log.info('configuration reloaded', { changed: changed.join(', ') || 'nothing' });
    if (needRestart.length > 0)
      log.warn('a restart is needed: systemctl restart xivo-xds-sync-agent', {
        changed: needRestart.join(', '),
      });
    // Where directories lie is decided when Main says which there are.
    if (changed.includes('directories') || changed.includes('allow'))
      this.#session?.close('the configuration was reloaded');
  }

  /** What Main is told, and `xivo-xds-sync-agent status` shows. */
  report(namesSkipped = true): AgentReport {
    return makeReport({
      namesSkipped,
      directories: [...this.directories.values()],
      troubles: [
        ...this.#options.credentials.troubles,
        ...(this.#keeper.trouble ? [this.#keeper.trouble] : []),
        ...this.#reloadTroubles(),
      ],
      unknown: this.#unknown,
      clockOffsetMs: this.#session?.clockOffset.milliseconds ?? 0,
      lastReconcile: this.lastReconcile,
      reloads: this.reloads.recent,
      owed: this.reloads.owed,
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
      // One connection's after the other: a directory is opened once.
      this.#opening = this.#opening.catch(() => undefined).then(() => this.#openDirectories(welcome));
      await this.#opening;
    } catch (error) {
      this.#options.log.error('the directories can not be opened', { error });
      // A new connection tries it again, a little later: nothing can be done with this one.
      await pause(this.#options.clock, STATE_RETRY, this.#stop.signal);
      return session.close(`the agent can not open its directories: ${withRemedy(errnoOf(error))}`);
    }
    if (this.#session !== session || this.#stop.signal.aborted) return;
    const strange = this.#strangeness(welcome);
    if (strange !== undefined)
      this.#options.log.warn('removals on hold until confirmed', { reason: strange });
    for (const directory of this.directories.values()) directory.attach(session, welcome.paused, strange);
    this.#attached.resolve();
    this.#mainSequence = welcome.main.sequence;
    this.#news();
    await this.#reconcileAtConnect(session);
  }

  /** What happened while there was no connection is found by reading everything again, once the first pass is through. */
  async #reconcileAtConnect(session: AgentSession): Promise<void> {
    const directories = [...this.directories.values()];
    const here = await Promise.all(directories.map((directory) => directory.whenManifestIsHere()));
    if (here.includes(false)) return;
    await Promise.all(directories.map((directory) => directory.whenIdle()));
    if (this.#session === session && !this.#stop.signal.aborted) await this.#reconcileAndTell();
  }

  /** Nobody waits for it: what goes wrong is logged, and the next pass comes. */
  async #reconcileAndTell(): Promise<void> {
    try {
      await this.reconcile();
    } catch (error) {
      this.#options.log.error('a full pass failed', { error });
    }
  }

  /** The state can be written again: what waited for that goes on. */
  #tryAgain(): void {
    for (const directory of this.directories.values()) directory.tryAgain();
  }

  /**
   * Why Main's silence about a file proves nothing now, if so. It holds over connections and starts until no directory
   * waits because of it: by then Main may know this state again, which is no person's word.
   */
  #strangeness(welcome: Welcome): string | undefined {
    this.#setStrange(this.#newStrangeness(welcome) ?? this.#strange);
    return this.#strange;
  }

  #setStrange(reason: string | undefined): void {
    if (reason === this.#strange) return;
    this.#strange = reason;
    this.#keeper.write(() => this.#db.setMeta(STRANGE, this.#strange));
  }

  #newStrangeness(welcome: Welcome): string | undefined {
    const strange = this.#memory.strangeness(welcome.main);
    if (strange === 'new') return "Main's state is a new one: it lost its memory of what was there";
    if (strange === 'older')
      return "Main's state is older than what this MDS has seen: a backup was put back";
    return welcome.additive ? "this MDS's state is not the one that Main knew" : undefined;
  }

  /** Main's state is the known one again once no directory waits because of it. */
  #rememberMain(): void {
    if (this.#welcome === undefined || this.#session === undefined) return;
    const ready = [...this.directories.values()].every((directory) => directory.isSettledWithMain);
    if (!ready) return;
    this.#setStrange(undefined);
    this.#memory.learn(this.#welcome.main, this.#mainSequence, this.#options.clock.monotonic());
  }

  /** Main says how its directories behave; where they lie here, this host's own configuration says. */
  async #openDirectories(welcome: Welcome): Promise<void> {
    const { root, clock, log } = this.#options;
    const { config } = this;
    const places = this.#placesOf(welcome.directories);
    const nested = nestedInside(places);
    for (const policy of welcome.directories) {
      if (this.#stop.signal.aborted) return;
      const here = places.get(policy.name);
      const open = this.directories.get(policy.name);
      if (here === undefined) {
        await open?.close();
        this.directories.delete(policy.name);
        continue;
      }
      if (
        open !== undefined &&
        isSame(open, { policy, guard: welcome.guard }, root.path(here), nested.get(policy.name))
      )
        continue;
      await open?.close();
      const activation = this.#activationOf(policy, here);
      const directory = new AgentDirectory({
        name: policy.name,
        path: root.path(here),
        nested: nested.get(policy.name) ?? new Set(),
        policy,
        guard: welcome.guard,
        db: this.#db,
        owners: this.#owners,
        clock,
        reserve: config.reserveBytes,
        log: log.child({ directory: policy.name }),
        remember: (write) => this.#keeper.write(write),
        onNews: () => this.#news(),
        onApplied: () => {
          if (activation?.isReadAgain !== false) this.reloads.owe(policy.reload);
        },
        onChangedHere: () => this.reloads.changedHere(policy.reload),
        activation,
      });
      this.directories.set(policy.name, directory);
    }
    for (const [name, directory] of this.directories) {
      if (welcome.directories.some((policy) => policy.name === name)) continue;
      await directory.close();
      this.directories.delete(name);
    }
  }

  /** Where each of Main's directories lies here; those that can't lie anywhere are reported. */
  #placesOf(policies: readonly DirectoryPolicy[]): Map<string, string> {
    const { root, own } = this.#options;
    const places = new Map<string, string>();
    this.#unknown = [];
    for (const policy of policies) {
      const place = placeOf(policy, { ...this.config, own, locate: (path) => root.path(path) });
      if ('path' in place) places.set(policy.name, place.path);
      else this.#unknown.push({ name: policy.name, message: place.refusal });
    }
    return places;
  }

  #activationOf(policy: DirectoryPolicy, asteriskPath: string): Activation | undefined {
    const kind = policy.reload;
    if (kind === 'none') return undefined;
    const { root, log } = this.#options;
    const place = { path: root.path(asteriskPath), asteriskPath, root: root.path('/') };
    if (kind === 'dialplan') this.#dialplan = place;
    const { reloads } = this;
    const beside = path.dirname(place.path);
    const configFolders = (): string[] => [beside, ...(this.#configFolder ? [this.#configFolder] : [])];
    return new Activation({
      readers: kind === 'dialplan' ? new ReaderLease(configFolders, log) : undefined,
      policy,
      kind,
      place: () => ({ ...place, configFolder: this.#configFolder }),
      log: log.child({ directory: policy.name }),
      reload: () => reloads.pay(kind),
      refusal: () => reloads.refusal(kind),
    });
  }

  #dialplanPlace(): DialplanPlace | undefined {
    return this.#dialplan && { ...this.#dialplan, configFolder: this.#configFolder };
  }

  #onLost(): void {
    this.#session = undefined;
    for (const directory of this.directories.values()) directory.detach();
  }

  #onMessage(session: AgentSession, message: FromMain): void {
    if ('sequence' in message) this.#mainSequence = Math.max(this.#mainSequence, message.sequence);
    if ('directory' in message) {
      // A directory that this host does not know gets nothing: it never asked for its manifest.
      this.directories.get(message.directory)?.onMessage(message);
      return;
    }
    if (message.type === 'paused')
      for (const directory of this.directories.values()) directory.pause(message.paused);
    else if (message.type === 'command')
      this.#tasks.run('a command of Main failed', () => this.#obey(session, message.id, message.command));
  }

  async #obey(session: AgentSession, id: number, command: Command): Promise<void> {
    try {
      const say = (): void => session.send({ type: 'answer-part', id, actions: [] });
      const { ok, lines, actions, ...answer } = await stillAtWork(this.#options.clock, say, () =>
        carryOut(command, {
          directories: this.directories,
          wanted: (this.#welcome?.directories ?? []).map(({ name }) => name),
          attached: this.#attached.promise,
          reconcile: () => this.reconcile(),
          upgrades: this.#options.upgrades,
          signal: this.#stop.signal,
        }),
      );
      for (const page of pagesOf(actions)) session.send({ type: 'answer-part', id, actions: page });
      const understood = session.mainCapabilities.has('answers');
      const knowsPlans = session.mainCapabilities.has('dialplan-summary');
      const body = answer.body?.to === 'plan' && !knowsPlans ? undefined : answer.body;
      const said = understood || body === undefined ? lines : linesOfBody(body);
      const named = whatFits(said, MAX_PAGE_BYTES, MAX_ITEMS);
      session.send({ type: 'answer', id, ok, lines: named, ...(understood && body && { body }) });
    } catch (error) {
      this.#options.log.error('a command of Main failed', { command: command.do, error });
      const reason = error instanceof Error ? error.message : String(error);
      session.send({ type: 'answer', id, ok: false, lines: [reason.slice(0, MAX_REASON)] });
    }
  }

  /** A full pass over every directory. */
  async reconcile(): Promise<Answer> {
    const { clock } = this.#options;
    const begun = clock.monotonic();
    const passes = await Promise.all(
      [...this.directories.values()].map((directory) => directory.reconcile()),
    );
    for (const { policy } of this.directories.values()) {
      const { reload, reloadAlways } = policy;
      if (!reloadAlways || reload === 'none') continue;
      this.reloads.owe(reload);
      this.#tasks.run('a reload failed', () => this.reloads.pay(reload));
    }
    for (const directory of this.directories.values()) directory.purge(this.config.trash.keepMs);
    const isActive = await this.reloads.payAll();
    const ok = passes.every((pass) => pass.ok) && this.#unknown.length === 0 && isActive;
    const durationMs = Math.round(clock.monotonic() - begun);
    this.lastReconcile = { at: new Date(clock.now()).toISOString(), ok, durationMs };
    this.#options.log.info('reconciled', { ok, milliseconds: durationMs });
    this.#sendReport();
    const lines = this.report().errors.map(({ path, message }) => `${path}: ${message}`);
    return { ok, lines, actions: passes.flatMap((pass) => pass.actions) };
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
    session?.send(this.report(session.mainCapabilities.has('skipped')));
  }
}

/** Names of the directories that this MDS has a place for, whatever Main says. */
function knownNames({ directories }: AgentConfig): string[] {
  return [...new Set([...DEFAULT_DIRECTORIES, ...directories].map(({ name }) => name))];
}

/** Whether an open directory still lies where it should and keeps to the same rules. */
function isSame(
  open: AgentDirectory,
  rules: Pick<AgentDirectory, 'policy' | 'guard'>,
  path: string,
  nested: ReadonlySet<string> = new Set(),
): boolean {
  const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
  const sameNested = nested.size === open.nested.size && [...nested].every((name) => open.nested.has(name));
  return (
    open.replica.path === path &&
    sameNested &&
    same(open.policy, rules.policy) &&
    same(open.guard, rules.guard)
  );
}
