import { existsSync, mkdirSync } from 'node:fs';
import type { DirectoryPolicy, DirectoryReport, PlannedAction } from '#protocol/messages/common.ts';
import type { FromMain } from '#protocol/messages/session.ts';
import { Applier } from '#sync/apply/applier.ts';
import { setMetadata } from '#host/fs/metadata.ts';
import { Tasks } from '#host/process/tasks.ts';
import { Folder } from '#host/fs/folder.ts';
import type { Owners } from '#host/fs/owners.ts';
import type { Logger } from '#host/log/logger.ts';
import type { Entry } from '#core/manifest/entry.ts';
import { localise } from '#core/manifest/localise.ts';
import { entryOf } from '#core/manifest/pathState.ts';
import { Excludes } from '#core/path/excludes.ts';
import { refusePath } from '#core/path/relative.ts';
import { decidePath, excludingPattern, isChange, type Plan } from '#core/plan/plan.ts';
import type { Guard } from '#core/plan/policy.ts';
import type { Changes } from '#sync/scan/pathIndex.ts';
import { Replica } from '#sync/scan/replica.ts';
import { type OnRead, type Verified, verifyReplica } from '#sync/scan/verify.ts';
import { POLLING, Watch } from '#sync/scan/watch.ts';
import type { Database } from '#sync/state/database.ts';
import { Journal } from '#sync/state/changeSetJournal.ts';
import { Ledger } from '#sync/state/ledger.ts';
import { ScanIndexTable } from '#sync/state/scanIndex.ts';
import type { Clock } from '#host/time/clock.ts';
import { type ListedTrash, listTrash, purgeTrash, restoreFromTrash } from '#sync/trash/trash.ts';
import type { Activation } from '../asterisk/activation/activation.ts';
import type { AgentSession } from '../connection/agentSession.ts';
import { AgreedState } from './agreedState.ts';
import {
  describe,
  type DirectoryPass,
  type DryRun,
  type Explanation,
  isHindered,
  actionsOfPlan,
  obstaclesOfSet,
  withObstacles,
} from './explain.ts';
import { JobRunner, type Rehearsal } from './jobs/jobRunner.ts';
import { MainManifest } from './mainManifest.ts';
import { OwnVersions } from './own/ownVersions.ts';
import { RemovalCounter } from './removalCounter.ts';
import type { Retries } from './retries.ts';
import { type Obstacle, Reconciler } from './reconciler.ts';

/** How long after its settle time a change may come to be known, milliseconds. */
const QUIET_EXTRA = 1_500;

export type AgentDirectoryOptions = {
  readonly name: string;
  readonly path: string;
  readonly nested: ReadonlySet<string>;
  readonly policy: DirectoryPolicy;
  readonly guard: Guard;
  readonly db: Database;
  readonly owners: Owners;
  readonly clock: Clock;
  readonly reserve: number;
  /** Bytes from which on a file is large: see {@link Applier.resumableFrom}. */
  readonly largeFrom?: number | undefined;
  readonly log: Logger;
  /** Writes into the state, now or as soon as it can be written. */
  readonly remember: (write: () => void) => void;
  /** Something to report changed. */
  readonly onNews: () => void;
  /** A change set became visible. Called inside the transaction that records it. */
  readonly onApplied: (name: string) => void;
  /** A change set was carried out, for the history. @param durationMs how long it took */
  readonly onDone: (changeSet: string, actions: readonly PlannedAction[], durationMs?: number) => void;
  /** Something changed on this MDS that was not put there by this program. */
  readonly onChangedHere: () => void;
  /** For a directory that Asterisk reads: lint before a change, reload after it. */
  readonly activation: Activation | undefined;
};

/** One synchronised directory on this MDS: what it holds, what Main says of it, and the worker that makes them agree. */
export class AgentDirectory {
  readonly name: string;
  readonly policy: DirectoryPolicy;
  readonly guard: Guard;
  /** Directories of their own that lie within this one. */
  readonly nested: ReadonlySet<string>;
  readonly replica: Replica;
  readonly mainView: MainManifest;
  /** What this MDS has otherwise than Main. */
  readonly own: OwnVersions;
  readonly #options: AgentDirectoryOptions;
  readonly #applier: Applier;
  readonly #accounts: AgreedState;
  readonly #removals: RemovalCounter;
  readonly #runner: JobRunner;
  readonly #worker: Reconciler;
  readonly #watch: Watch;
  #session: AgentSession | undefined;
  readonly #tasks: Tasks;
  #started: Promise<void> | undefined;
  #isKnown = false;
  #manifestHere = Promise.withResolvers<boolean>();

  constructor(options: AgentDirectoryOptions) {
    this.#options = options;
    const { name, path, policy, db, owners, clock, log, onNews } = options;
    this.#tasks = new Tasks((what, error) => log.error(what, { error }));
    this.name = name;
    this.policy = policy;
    this.nested = options.nested;
    this.guard = options.guard;
    this.mainView = new MainManifest(owners, options.nested);
    const onError = (error: unknown): void => log.error('directory could not be read', { error });
    const ledger = new Ledger(db, name);
    const excludes = new Excludes(policy.exclude ?? []);
    this.replica = new Replica({
      name,
      path,
      nested: options.nested,
      settle: policy.settle,
      // Only where an empty directory here would empty Main's.
      whole: false,
      emptyIsHeld: policy.deletions === 'both',
      // What was delivered before its name was excluded is known: it has to go.
      isExcluded: (path, isFolder) =>
        !ledger.entries.has(path) && excludes.patternFor(path, isFolder) !== undefined,
      index: new ScanIndexTable(db, name),
      owners,
      clock,
      onChanges: (changes) => this.#onLocalChanges(changes),
      onHeld: () => this.#worker.wake('all'),
      onError,
    });
    this.#watch = new Watch(this.replica, (error) => log.warn(POLLING, { error }));
    const { mainView, replica } = this;
    const journal = new Journal(db);
    const { activation, reserve } = options;
    this.#applier = new Applier({
      directory: name,
      path,
      journal,
      clock,
      reserve,
      resumableFrom: options.largeFrom,
      onPlaced: (placed) => this.replica.own.add(placed),
      onPlacedLost: (paths) => this.replica.own.lost(paths),
      ...(activation && {
        withLease: (show) => activation.withLease(show),
        // A refusal by Asterisk is reported with the reload; nothing can be reverted any more.
        onFinished: () => void activation.activate(new Set()),
      }),
    });
    this.#accounts = new AgreedState(ledger, db, mainView, replica);
    this.#removals = new RemovalCounter(options.guard, {
      // Under another guard it is judged anew.
      load: () => db.meta(`held:${name}`) === JSON.stringify(options.guard),
      save: (standing) =>
        options.remember(() =>
          db.setMeta(`held:${name}`, standing ? JSON.stringify(options.guard) : undefined),
        ),
    });
    this.#runner = new JobRunner({
      directory: name,
      db,
      applier: this.#applier,
      replica,
      accounts: this.#accounts,
      activation: options.activation,
      log,
      onApplied: (removed) => this.#onApplied(removed),
      onDone: options.onDone,
    });
    this.#worker = new Reconciler({
      policy,
      excludes,
      mainView,
      replica,
      accounts: this.#accounts,
      removals: this.#removals,
      runner: this.#runner,
      clock,
      log,
      onNews,
    });
    this.own = new OwnVersions({
      directory: name,
      nested: options.nested,
      replica,
      mainView,
      owners,
      applier: this.#applier,
      runner: this.#runner,
      activation: options.activation,
      planInput: () => this.#worker.planInput(),
      obstacleOf: (each) => this.#worker.obstacleOf(each),
      session: () => this.#session,
      onApplied: () => options.onApplied(name),
    });
  }

  /** Main's whole manifest is here, and this directory was read. */
  get isComparable(): boolean {
    return this.mainView.isReady && this.#worker.isPlanned;
  }

  /** Main's whole manifest has been here since the agent started, though it may be an old one by now. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  /** The errors to be reported. */
  get troubles(): Retries['troubles'] {
    return this.#worker.retries.troubles;
  }

  /**
   * A connection to Main is there: its manifest comes next.
   * @param additive why nothing may be removed before a person confirms, if so
   */
  attach(session: AgentSession, paused: boolean, additive: string | undefined): void {
    this.#session = session;
    this.#removals.setAdditive(additive, this.#options.clock.monotonic() + this.policy.settle + QUIET_EXTRA);
    const manifestHere = Promise.withResolvers<boolean>();
    this.#manifestHere = manifestHere;
    session.signal.addEventListener('abort', () => manifestHere.resolve(false), { once: true });
    this.mainView.forgetRevision();
    this.#worker.attach(session, paused);
    session.wantManifest(this.name);
  }

  detach(): void {
    this.#session = undefined;
    this.#worker.detach();
    this.mainView.forgetRevision();
  }

  /** True when a whole plan against Main's manifest was made and nothing is on hold because of a state mismatch. */
  get isSettledWithMain(): boolean {
    return this.mainView.isReady && this.#worker.isPlanned && !this.#removals.isAdditive;
  }

  /** Retries the work that failed because the state could not be written. */
  tryAgain(): void {
    this.#worker.resetBackoff();
    this.#worker.wake('all');
  }

  pause(paused: boolean): void {
    this.#worker.pause(paused);
  }

  async close(): Promise<void> {
    this.#session = undefined;
    this.#applier.close();
    await this.#watch.close();
    await this.#worker.close();
    await this.#tasks.ended();
    await this.replica.close();
  }

  onMessage(message: Extract<FromMain, { directory: string }>): void {
    const view = this.mainView;
    switch (message.type) {
      case 'manifest-begin':
        return view.begin(message.held, message.root);
      case 'manifest-page':
        if (!view.page(message.items)) this.#session?.violation('a manifest page out of place, or too many');
        return undefined;
      case 'manifest-end':
        if (!view.end(message.revision))
          return this.#session?.violation('a manifest that ends before it began');
        return this.#tasks.run('the directory is not ready', () => this.#manifestIsHere());
      case 'changes': {
        const paths = view.change(message.from, message.revision, message.held, message.items);
        if (paths === undefined) this.#session?.wantManifest(this.name);
        else {
          this.#worker.mainChanged(paths);
          if (message.held !== (this.#worker.held ?? null)) this.#worker.wake('all');
        }
        return undefined;
      }
      case 'check':
        if (view.revision === message.revision && view.digest !== message.digest) {
          this.#options.log.error("this copy of Main's manifest was wrong; it is fetched again");
          this.#session?.wantManifest(this.name);
        }
        return undefined;
    }
  }

  /**
   * Reads everything again, plans, and works until nothing is left to be done.
   * @returns what was to be done, and whether all of it was; what could not be done says why
   */
  async reconcile(): Promise<DirectoryPass> {
    this.#worker.resetBackoff();
    await this.readAgain();
    const isAtRest = this.#worker.isAtRest && this.mainView.isReady;
    const planned = this.plannedActions();
    // That was a plan over everything, and it is empty: the same again would be.
    if (isAtRest && planned.length === 0 && this.#worker.isAtRest) return { ok: true, actions: [] };
    this.#worker.wake('all');
    await this.whenIdle();
    const left = this.#session === undefined ? undefined : this.#worker.plan();
    const behind =
      left === undefined ||
      left.held !== undefined ||
      [...left.decisions.values()].some((d) => isChange(d) || (d.kind === 'skip' && d.failed));
    const actions = withObstacles(planned, (path) => this.#worker.obstacleOf(path));
    return { ok: !behind && this.mainView.isReady, actions };
  }

  /** The plan as it is now, a line a file. */
  plannedActions(): PlannedAction[] {
    return this.mainView.isReady ? actionsOfPlan(this.name, this.#worker.plan()) : [];
  }

  /** Everything is read again, for a dry run as for the real one. */
  async readAgain(): Promise<void> {
    await this.replica.rescan();
    await this.replica.whenQuiet(this.policy.settle + QUIET_EXTRA);
  }

  /** What a pass would do, and what would be in its way: tried already, or found out by a rehearsal. */
  async dryRun(): Promise<DryRun> {
    await this.readAgain();
    if (!this.mainView.isReady) return { ok: false, actions: [], held: undefined, dialplan: [] };
    const made = this.#worker.plan();
    const planned = actionsOfPlan(this.name, made);
    const tried = (path: string): Obstacle | undefined => this.#worker.obstacleOf(path);
    const rehearsal = await this.#rehearse(made);
    const found =
      rehearsal === undefined || this.#worker.isRefused
        ? undefined
        : obstaclesOfSet(made.decisions.keys(), tried, rehearsal.reasons);
    const actions = withObstacles(planned, (path) => (found === undefined ? tried(path) : found.get(path)));
    const dialplan = rehearsal?.changes ?? [];
    return { ok: !isHindered(made, actions, planned), actions, held: made.held, dialplan };
  }

  /** Where Asterisk reads a set as a whole, what it would make of it. */
  async #rehearse({ decisions, heldPaths }: Plan): Promise<Rehearsal | undefined> {
    if (this.#session === undefined || this.policy.reload !== 'dialplan') return undefined;
    return this.#runner.rehearse(decisions, new Set(heldPaths), this.#session);
  }

  /** Which rule decides about a path here, and what really becomes of it. */
  why(path: string): Explanation {
    const input = this.#worker.planInput();
    const made = this.#worker.plan();
    const main = this.mainView.get(path);
    const mds = this.replica.get(path);
    const base = this.#accounts.ledger.entries.get(path);
    const decision = made.decisions.get(path) ?? decidePath(input, path);
    const waits = isChange(decision) && decision.kind !== 'nothing' && decision.kind !== 'local';
    const isHeld = made.heldPaths.includes(path) || (made.decisions.size === 0 && waits);
    const held = isHeld ? made.held : undefined;
    const obstacle = held === undefined ? this.#worker.obstacleOf(path) : { action: 'hold', reason: held };
    const excludedBy = excludingPattern(input, path);
    return {
      decision,
      main: describe(entryOf(main), main?.kind),
      mds: describe(entryOf(mds), mds?.kind),
      ledger: describe(base, undefined),
      isNowhere: main === undefined && mds === undefined && base === undefined,
      ...(excludedBy !== undefined && { excludedBy }),
      ...(obstacle && { obstacle: obstacle.reason }),
    };
  }

  /** A person lets the held removals happen, once. */
  async confirm(): Promise<void> {
    this.#removals.confirm(this.#options.clock.monotonic());
    if (this.replica.held !== undefined) {
      this.#makeRoot();
      await this.replica.confirm();
    }
    this.#worker.wake('all');
  }

  /**
   * Reads every byte again and compares with what it was taken for, and with Main's.
   * @returns every difference: the path and what is wrong
   */
  async verify(onRead: OnRead): Promise<Verified> {
    await this.readAgain();
    const verified = await verifyReplica(this.replica, onRead);
    this.replica.distrust(verified.wrong.keys());
    const wrong = new Map(verified.wrong);
    for (const { action, path, reason } of this.plannedActions()) {
      if (action !== 'skip' && !wrong.has(path)) wrong.set(path, `${action}: ${reason}`);
    }
    return { ...verified, wrong };
  }

  trash(): ListedTrash {
    return listTrash(this.name, this.replica.path);
  }

  /** Brings an item of the trash back. @throws when it can't be, or Main's would at once replace it again */
  async restore(id: string, to: string): Promise<void> {
    const item = this.trash().items.find((each) => each.id === id);
    if (item === undefined) throw new Error(`there is no ${id} in the trash of ${this.name}`);
    const refusal = refusePath(to);
    if (refusal !== undefined) throw new Error(`${to}: ${refusal}`);
    if (this.policy.direction === 'to-mds' && entryOf(this.mainView.get(to)) !== undefined) {
      throw new Error(
        `Main has its own ${to}, which would overwrite it at once: restore it under another name with --as, or put it on Main`,
      );
    }
    const { owners } = this.#options;
    const outcomes = await restoreFromTrash(item, to, {
      applier: this.#applier,
      replica: this.replica,
      owners,
      // What was brought back here belongs to this MDS: the ledger does not learn of it.
      record: () => undefined,
    });
    const failed = outcomes.find(({ result }) => result !== 'done');
    if (failed)
      throw new Error(`${to} could not be written (${failed.errno ?? 'it changed meanwhile'}): try again`);
    this.#runner.adopt(outcomes);
  }

  /** Removes for good what was in the trash for long enough. @param keep milliseconds */
  purge(keep: number): void {
    // A directory that is missing is held, and its trash is missing with it.
    if (this.replica.held !== undefined) return;
    const { clock, log } = this.#options;
    purgeTrash({ root: this.replica.path, keep, now: clock.now(), log });
  }

  /** What does not travel from or to this MDS, and why, by path. */
  *skipped(): Iterable<{ path: string; reason: string }> {
    for (const [path, reason] of this.mainView.refused)
      yield { path, reason: `Main names it, and this MDS must not touch it: ${reason}` };
    for (const [path, reason] of this.mainView.special)
      yield { path, reason: `on Main it is ${reason}, which never travels` };
    for (const [path, reason] of this.replica.skipped) yield { path, reason };
  }

  /** @param figures whether who hears it understands bytes to go */
  report(figures: boolean): DirectoryReport {
    const { tally } = this.#accounts;
    return {
      name: this.name,
      revision: this.#worker.plannedRevision,
      files: tally.files,
      bytes: tally.bytes,
      pending: this.#worker.pending,
      ...(figures && { pendingBytes: this.#worker.pendingBytes }),
      localOnly: tally.localFiles,
      held: this.#worker.held ?? null,
      digest: tally.digest,
    };
  }

  /** Resolves with true when Main's whole manifest has come and this directory was read; with false when the connection ends before. */
  whenManifestIsHere(): Promise<boolean> {
    return this.#manifestHere.promise;
  }

  /** Jobs that have not ended. */
  get jobs(): number {
    return this.#worker.jobs;
  }

  /** Resolves when nothing is being done and nothing can be done now. */
  whenIdle(): Promise<void> {
    return this.#worker.whenIdle();
  }

  async #manifestIsHere(): Promise<void> {
    const manifestHere = this.#manifestHere;
    this.#started ??= this.#start();
    await this.#started;
    for (const path of new Set([...this.replica.paths(), ...this.mainView.paths()]))
      this.#accounts.count(path);
    this.#worker.begin();
    this.#isKnown = true;
    manifestHere.resolve(true);
  }

  async #start(): Promise<void> {
    const { path, log } = this.#options;
    if (!existsSync(path) && this.#accounts.ledger.entries.size === 0) this.#makeRoot();
    try {
      const steps = await this.#runner.recover();
      if (steps > 0) log.warn('finished a change set that was cut off', { steps });
    } catch (error) {
      log.error('directory is not ready', { error });
    }
    await this.replica.rescan();
    await this.#watch.start(this.#options.nested);
  }

  /** A new MDS may lack the directory: it is made as Main has it. */
  #makeRoot(): void {
    const { path, log } = this.#options;
    try {
      mkdirSync(path, { recursive: true });
      const { root } = this.mainView;
      if (root === undefined) return;
      const folder = Folder.openRoot(path);
      try {
        setMetadata(folder.fd, localise(root, this.#options.owners));
      } finally {
        folder.close();
      }
    } catch (error) {
      log.error('directory could not be made', { path, error });
    }
  }

  #onLocalChanges(changes: Changes): void {
    for (const path of changes.keys()) this.#accounts.count(path);
    if (changes.size === 0) return;
    this.#worker.changedHere(changes.keys());
    this.#options.onChangedHere();
  }

  #onApplied(removed: readonly Entry[]): void {
    this.#removals.count(removed, this.mainView, this.#options.clock.monotonic());
    this.#options.onApplied(this.name);
  }
}
