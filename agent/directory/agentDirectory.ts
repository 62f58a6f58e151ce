import { chmodSync, chownSync, existsSync, mkdirSync } from 'node:fs';
import type { DirectoryPolicy, DirectoryReport, FromMain, PlannedAction } from '../../protocol/messages.ts';
import { MAX_ITEMS } from '../../protocol/limits.ts';
import { Applier, type Record } from '../../shared/apply/applier.ts';
import type { Outcome } from '../../shared/apply/changeSet.ts';
import { revert } from '../../shared/apply/revert.ts';
import { errnoOf } from '../../shared/disk/errno.ts';
import type { Owners } from '../../shared/disk/owners.ts';
import type { Logger } from '../../shared/log/logger.ts';
import type { Entry } from '../../shared/manifest/entry.ts';
import { entryOf } from '../../shared/manifest/state.ts';
import { isBelow, refusePath } from '../../shared/paths/relative.ts';
import { actionOf } from '../../shared/plan/action.ts';
import type { Decision } from '../../shared/plan/decision.ts';
import { decidePath, isChange, plan, type Plan, type PlanInput } from '../../shared/plan/plan.ts';
import { countSurvivors } from '../../shared/plan/guard.ts';
import type { Guard } from '../../shared/plan/policy.ts';
import { type Changes, visible } from '../../shared/scan/nodes.ts';
import { Replica } from '../../shared/scan/replica.ts';
import { type Verified, verifyReplica } from '../../shared/scan/verify.ts';
import { Watch } from '../../shared/scan/watch.ts';
import type { Database } from '../../shared/state/database.ts';
import { Journal } from '../../shared/state/journal.ts';
import { Ledger } from '../../shared/state/ledger.ts';
import { ScanIndexTable } from '../../shared/state/scanIndexTable.ts';
import type { Clock } from '../../shared/time/clock.ts';
import { listTrash, purgeTrash, restoreFromTrash, type TrashItem } from '../../shared/trash/trash.ts';
import type { Session } from '../link/session.ts';
import { type Activation, refusalText } from '../activation/activation.ts';
import { download, type Downloaded, type JobResult } from './download.ts';
import { MainView } from './mainView.ts';
import { Retries } from './retries.ts';
import { type Job, schedule } from './schedule.ts';
import { Tally } from './tally.ts';
import { agreedAfter, upload } from './upload.ts';

/** Removals within this time count together against the guard, milliseconds. */
const FLOOD_WINDOW = 60_000;
/** A confirmation lets held removals happen within this time, milliseconds. */
const CONFIRMED_FOR = 60_000;
/** Waits for files that are being written, beyond their settle time, milliseconds. */
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
  readonly log: Logger;
  /** Something to report changed. */
  readonly onNews: () => void;
  /** A change set became visible. Called inside the transaction that records it. */
  readonly onApplied: (name: string) => void;
  /** For a directory that Asterisk reads: lint before a change, reload after it. */
  readonly activation: Activation | undefined;
};

/** One synchronised directory on this MDS: it plans against Main's manifest, and carries the plan out. */
export class AgentDirectory {
  readonly name: string;
  readonly policy: DirectoryPolicy;
  readonly replica: Replica;
  readonly mainView: MainView;
  readonly ledger: Ledger;
  readonly retries = new Retries();
  held: string | undefined;
  /** Why removals wait for a person, whatever their number; over when a whole plan has none. */
  additive: string | undefined;
  readonly #options: AgentDirectoryOptions;
  readonly #applier: Applier;
  readonly #watch: Watch;
  readonly #tally = new Tally();
  #session: Session | undefined;
  #paused = false;
  #dirty: 'all' | Set<string> = 'all';
  /** What is still to be done, by the newest plan of each path. */
  readonly #pending = new Map<string, Decision>();
  readonly #inFlight = new Map<string, Job>();
  #running: Job[] = [];
  #turn: Promise<void> = Promise.resolve();
  #turnDue = false;
  #retryTimer: NodeJS.Timeout | undefined;
  #removals: { at: number; files: number }[] = [];
  #confirmedUntil = 0;
  /** The change set that lint or Asterisk refused. */
  #blocked: { signature: string; reasons: ReadonlyMap<string, string> } | undefined;
  #plannedRevision = 0;
  #idle: (() => void)[] = [];
  #started = false;
  #closed = false;

  constructor(options: AgentDirectoryOptions) {
    this.#options = options;
    const { name, path, policy, db, owners, clock } = options;
    this.name = name;
    this.policy = policy;
    this.mainView = new MainView(owners, options.nested);
    this.ledger = new Ledger(db, name);
    const onError = (error: unknown): void => options.log.error('directory could not be read', { error });
    this.replica = new Replica({
      name,
      path,
      nested: options.nested,
      settle: policy.settle,
      // Only where an empty directory here would empty Main's.
      emptyIsHeld: policy.deletions === 'both',
      index: new ScanIndexTable(db, name),
      owners,
      clock,
      onChanges: (changes) => this.#onLocalChanges(changes),
      onHeld: () => this.#wake('all'),
      onError,
    });
    this.#watch = new Watch(this.replica, onError);
    this.#applier = new Applier({
      directory: name,
      path,
      journal: new Journal(db),
      clock,
      reserve: options.reserve,
    });
  }

  /**
   * A connection to Main is there: its manifest comes next.
   * @param additive why nothing may be removed before a person confirms, if so
   */
  attach(session: Session, paused: boolean, additive: string | undefined): void {
    this.#session = session;
    this.additive = additive;
    this.#paused = paused;
    this.mainView.forgetRevision();
    this.retries.forgive();
    session.send({ type: 'want-manifest', directory: this.name });
  }

  /** A whole plan against Main's manifest was made, and nothing waits because of a strange state. */
  get isSettledWithMain(): boolean {
    return this.mainView.isReady && this.#started && this.#dirty !== 'all' && this.additive === undefined;
  }

  detach(): void {
    this.#session = undefined;
    this.mainView.forgetRevision();
  }

  pause(paused: boolean): void {
    this.#paused = paused;
    this.#wake('all');
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retryTimer);
    this.#session = undefined;
    await this.#watch.close();
    await this.#turn;
    while (this.#running.length > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
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
        void this.#manifestIsHere();
        return undefined;
      case 'changes': {
        const paths = view.change(message.from, message.revision, message.held, message.items);
        if (paths === undefined) this.#session?.send({ type: 'want-manifest', directory: this.name });
        else {
          // What Main changed is worth another try; where sets become visible whole, all of the set.
          this.retries.forgive(this.policy.reload === 'none' ? paths : undefined);
          this.#wake(message.held !== (this.held ?? null) ? 'all' : paths);
        }
        return undefined;
      }
      case 'check':
        if (view.revision === message.revision && view.digest !== message.digest) {
          this.#options.log.error("this copy of Main's manifest was wrong; it is fetched again");
          this.#session?.send({ type: 'want-manifest', directory: this.name });
        }
        return undefined;
    }
  }

  /**
   * Reads everything again, plans, and works until nothing is left to be done.
   * @returns what was to be done, and whether all of it was
   */
  async reconcile(): Promise<{ ok: boolean; actions: PlannedAction[] }> {
    this.retries.forgive();
    this.#blocked = undefined;
    await this.#readAgain();
    const actions = this.plannedActions();
    this.#wake('all');
    await this.whenIdle();
    const left = this.#session === undefined ? undefined : this.#plan();
    const behind =
      left === undefined ||
      left.held !== undefined ||
      [...left.decisions.values()].some((d) => isChange(d) || (d.kind === 'skip' && d.failed));
    return { ok: !behind && this.mainView.isReady, actions };
  }

  /** The plan as it is now, a line a file. */
  plannedActions(): PlannedAction[] {
    if (!this.mainView.isReady) return [];
    const { decisions, held, heldPaths } = this.#plan();
    const actions = [...decisions].flatMap(([path, decision]) => actionOf(this.name, path, decision) ?? []);
    const hold = (path: string): PlannedAction => ({
      directory: this.name,
      action: 'hold',
      path,
      bytes: 0,
      reason: held ?? '',
    });
    if (heldPaths.length > 0) actions.push(...heldPaths.map(hold));
    else if (held !== undefined) actions.push(hold(''));
    return actions;
  }

  /** Everything is read again, for a dry run as for the real one. */
  async #readAgain(): Promise<void> {
    await this.replica.rescan();
    await this.replica.whenQuiet(this.policy.settle + QUIET_EXTRA);
  }

  async dryRun(): Promise<PlannedAction[]> {
    await this.#readAgain();
    return this.plannedActions();
  }

  /** Which rule decides about a path here. */
  why(path: string): { decision: Decision; main: string; mds: string; ledger: string } {
    return {
      decision: decidePath(this.#planInput(), path),
      main: describe(entryOf(this.mainView.get(path)), this.mainView.get(path)?.kind),
      mds: describe(entryOf(this.replica.get(path)), this.replica.get(path)?.kind),
      ledger: describe(this.ledger.entries.get(path), undefined),
    };
  }

  /** A person lets the held removals happen, once. */
  async confirm(): Promise<void> {
    this.#confirmedUntil = this.#options.clock.monotonic() + CONFIRMED_FOR;
    if (this.replica.held !== undefined) {
      this.#makeRoot();
      await this.replica.confirm();
    }
    this.#wake('all');
  }

  /**
   * Reads every byte again and compares with what it was taken for, and with Main's.
   * @returns every difference: the path and what is wrong
   */
  async verify(): Promise<Verified> {
    await this.#readAgain();
    const verified = await verifyReplica(this.replica);
    this.replica.distrust(verified.wrong.keys());
    const wrong = new Map(verified.wrong);
    for (const { action, path, reason } of this.plannedActions()) {
      if (action !== 'skip' && !wrong.has(path)) wrong.set(path, `${action}: ${reason}`);
    }
    return { ...verified, wrong };
  }

  trash(): TrashItem[] {
    return listTrash(this.name, this.replica.path);
  }

  /** Brings an item of the trash back. @throws when it can't be, or Main's would at once replace it again */
  async restore(id: string, to: string): Promise<void> {
    const item = this.trash().find((each) => each.id === id);
    if (item === undefined) throw new Error(`there is no ${id} in the trash of ${this.name}`);
    const refusal = refusePath(to);
    if (refusal !== undefined) throw new Error(`${to}: ${refusal}`);
    if (this.policy.direction === 'to-mds' && entryOf(this.mainView.get(to)) !== undefined) {
      throw new Error(
        `Main has a ${to} and would replace this one at once: bring it back under another name with --as`,
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
    this.#adopt(outcomes);
  }

  /** Removes for good what was in the trash for long enough. @param keep milliseconds */
  purge(keep: number): void {
    const purged = purgeTrash(this.replica.path, keep, this.#options.clock.now());
    if (purged > 0) this.#options.log.info('old trash removed', { changeSets: purged });
  }

  report(): DirectoryReport {
    return {
      name: this.name,
      revision: this.#plannedRevision,
      files: this.#tally.files,
      bytes: this.#tally.bytes,
      pending: this.#pending.size,
      localOnly: this.#tally.localFiles,
      held: this.held ?? null,
      digest: this.#tally.digest,
    };
  }

  /** Resolves when nothing is being done and nothing can be done now. */
  async whenIdle(): Promise<void> {
    await this.#turn;
    while (!this.#closed && (this.#running.length > 0 || this.#turnDue || this.#hasSoonDue())) {
      await new Promise<void>((resolve) => this.#idle.push(resolve));
      await this.#turn;
    }
  }

  async #manifestIsHere(): Promise<void> {
    if (!this.#started) {
      this.#started = true;
      await this.#start();
    }
    for (const path of new Set([...this.replica.paths(), ...this.mainView.paths()])) this.#count(path);
    this.#wake('all');
  }

  async #start(): Promise<void> {
    if (!existsSync(this.#options.path) && this.ledger.entries.size === 0) this.#makeRoot();
    try {
      const ended = await this.#applier.recover(this.#recorder(new Map()));
      if (ended.length > 0) {
        this.#options.log.warn('finished a change set that was cut off', { steps: ended.length });
        void this.#options.activation?.activate(new Set());
      }
    } catch (error) {
      this.#options.log.error('directory is not ready', { error });
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
      chownSync(
        path,
        this.#options.owners.userNumber(root.owner, root.uid),
        this.#options.owners.groupNumber(root.group, root.gid),
      );
      chmodSync(path, root.mode);
    } catch (error) {
      log.error('directory could not be made', { path, error });
    }
  }

  #onLocalChanges(changes: Changes): void {
    for (const path of changes.keys()) this.#count(path);
    // A local file may be what was in the way.
    if (changes.size > 0) this.#blocked = undefined;
    this.#wake(changes.keys());
  }

  #count(path: string): void {
    const delivered = this.ledger.entries.has(path) || entryOf(this.mainView.get(path)) !== undefined;
    this.#tally.count(path, visible(this.replica.get(path)), delivered);
  }

  #wake(paths: 'all' | Iterable<string>): void {
    if (paths === 'all') this.#dirty = 'all';
    else if (this.#dirty !== 'all') for (const path of paths) this.#dirty.add(path);
    if (this.#turnDue || this.#closed) return;
    this.#turnDue = true;
    this.#turn = this.#turn.then(() => this.#takeTurn());
  }

  /** Plans what is dirty and starts what can be started. Never fails: errors belong to their paths. */
  async #takeTurn(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.#turnDue = false;
    if (this.#canWork()) {
      const dirty = this.#dirty;
      this.#dirty = new Set();
      if (dirty === 'all' || dirty.size > 0)
        this.#take(this.#plan(dirty === 'all' ? undefined : dirty), dirty);
      this.#startJobs();
    }
    this.#options.onNews();
    this.#armRetry();
    if (this.#running.length === 0) this.#wakeIdle();
  }

  #canWork(): boolean {
    if (this.#closed || this.#session === undefined || !this.mainView.isReady || !this.#started) return false;
    // Which of two versions is the newer can't be told before the clocks were compared.
    return this.policy.direction !== 'both' || this.#session.clockOffset.known;
  }

  #planInput(): PlanInput {
    const now = this.#options.clock.monotonic();
    this.#removals = this.#removals.filter(({ at }) => now - at < FLOOD_WINDOW);
    return {
      policy: this.policy,
      main: this.mainView,
      mds: this.replica,
      ledger: this.ledger.entries,
      tombstones: this.mainView.tombstones,
      clockOffset: this.#session?.clockOffset.nanoseconds ?? 0n,
      budget: {
        guard: this.#options.guard,
        agreedFiles: this.ledger.files,
        removedLately: this.#removals.reduce((sum, { files }) => sum + files, 0),
        additive: this.additive,
        confirmed: now < this.#confirmedUntil,
      },
    };
  }

  #plan(paths?: Iterable<string>): Plan {
    return plan({ ...this.#planInput(), ...(paths && { paths }) });
  }

  /** Takes a plan over: what only the ledger has to learn is done at once. */
  #take(made: Plan, scope: 'all' | ReadonlySet<string>): void {
    if (scope === 'all') {
      this.#pending.clear();
      this.held = made.held;
      if (made.held === undefined) this.additive = undefined;
    } else {
      for (const path of scope) {
        this.#pending.delete(path);
        if (!made.decisions.has(path)) this.retries.succeeded(path);
      }
      this.held = made.held ?? this.held;
      // A hold is judged over everything, not over the paths in hand.
      if (made.heldPaths.length > 0) this.#wake('all');
    }
    this.#plannedRevision = this.mainView.revision ?? 0;
    const learnt: [string, Entry | undefined][] = [];
    for (const [path, decision] of made.decisions) {
      this.#pending.delete(path);
      if (decision.kind === 'agree') learnt.push([path, decision.entry]);
      else if (decision.kind === 'forget') learnt.push([path, undefined]);
      else if (decision.kind === 'skip') this.#noteSkip(path, decision);
      else this.#pending.set(path, decision);
    }
    if (scope === 'all') this.#forgetTroubles(made);
    if (learnt.length === 0) return;
    this.#options.db.transaction(() => learnt.forEach(([path, entry]) => this.#agree(path, entry)));
  }

  #noteSkip(path: string, { failed, reason }: Decision & { kind: 'skip' }): void {
    if (failed) this.retries.troubles.set(path, { at: this.#options.clock.now(), message: reason });
  }

  /** Troubles of paths that need nothing any more are over. */
  #forgetTroubles(made: Plan): void {
    for (const path of [...this.retries.troubles.keys()]) {
      if (!made.decisions.has(path)) this.retries.succeeded(path);
    }
    for (const [path, why] of this.mainView.refused) {
      this.retries.troubles.set(path, {
        at: this.#options.clock.now(),
        message: `Main names a path that is refused: ${why}`,
      });
    }
  }

  #agree(path: string, entry: Entry | undefined): void {
    // Where there is no folder, nothing is below it: an old word about that must not pass for a removal later.
    if (entry?.type !== 'folder' && this.ledger.entries.get(path)?.type === 'folder') {
      for (const below of [...this.ledger.entries.keys()]) {
        if (isBelow(below, path)) this.#agree(below, undefined);
      }
    }
    if (entry === undefined) this.ledger.delete(path);
    else this.ledger.set(path, entry);
    this.#count(path);
  }

  #startJobs(): void {
    if (this.#paused) return;
    const now = this.#options.clock.monotonic();
    const ready = new Map<string, Decision>();
    for (const [path, decision] of this.#pending) {
      if (!this.#inFlight.has(path) && this.retries.isDue(path, now)) ready.set(path, decision);
    }
    if (ready.size === 0) return;
    if (this.#blocked?.signature === this.#signature()) return;
    this.#blocked = undefined;
    const jobs = schedule({
      ready,
      running: this.#running,
      wholeSets: this.policy.reload !== 'none',
      folderIsThere: (folder, direction) => {
        const side = direction === 'download' ? this.replica : this.mainView;
        return entryOf(side.get(folder))?.type === 'folder';
      },
    });
    for (const job of jobs) void this.#run(job);
  }

  async #run(job: Job): Promise<void> {
    const session = this.#session;
    if (session === undefined) return;
    this.#running = [...this.#running, job];
    for (const path of job.items.keys()) this.#inFlight.set(path, job);
    let results: Map<string, JobResult>;
    try {
      results =
        job.kind === 'download' ? await this.#download(job, session) : await this.#upload(job, session);
    } catch (error) {
      const why = error instanceof Error && !('code' in error) ? error.message : errnoOf(error);
      results = new Map([...job.items.keys()].map((path) => [path, { result: 'failed', why }]));
    }
    this.#running = this.#running.filter((other) => other !== job);
    for (const path of job.items.keys()) this.#inFlight.delete(path);
    await this.#settleResults(job, results);
    this.#wake(job.items.keys());
  }

  async #download(job: Job & { kind: 'download' }, session: Session): Promise<Map<string, JobResult>> {
    const { activation } = this.#options;
    const before = new Map([...job.items.keys()].map((path) => [path, this.ledger.entries.get(path)]));
    const done = await download({
      directory: this.name,
      items: job.items,
      session,
      applier: this.#applier,
      replica: this.replica,
      record: this.#recorder(job.items),
      ...(activation && { objections: (changed) => activation.objections(changed) }),
    });
    this.#adopt(done.outcomes);
    this.#tell(session, done.changeSet?.id, job.items, done.outcomes);
    if (done.refused !== undefined) this.#block(done.refused);
    if (done.changeSet !== undefined && activation !== undefined)
      await this.#activate(activation, session, done, before);
    return done.results;
  }

  /** Main keeps the history, and the log of all. */
  #tell(
    session: Session,
    changeSet: string | undefined,
    items: ReadonlyMap<string, Decision>,
    outcomes: readonly Outcome[],
  ): void {
    const actions = outcomes.flatMap(({ step, result }) => {
      const decision = items.get(step.path);
      if (result !== 'done' || decision === undefined) return [];
      return actionOf(this.name, step.path, decision) ?? [];
    });
    if (changeSet === undefined || actions.length === 0) return;
    for (let at = 0; at < actions.length; at += MAX_ITEMS) {
      session.send({
        type: 'applied',
        directory: this.name,
        changeSet,
        actions: actions.slice(at, at + MAX_ITEMS),
      });
    }
    this.#options.log.info('applied', { changes: actions.length, changeSet });
  }

  /** Lets Asterisk read what became visible. When it refuses, the previous files come back as one set. */
  async #activate(
    activation: Activation,
    session: Session,
    { results, outcomes, changeSet }: Downloaded,
    before: ReadonlyMap<string, Entry | undefined>,
  ): Promise<void> {
    if (changeSet === undefined || !outcomes.some(({ result }) => result === 'done')) return;
    const refusal = await activation.activate(new Set(results.keys()));
    if (refusal === undefined) return;
    const record: Record = (_changeSet, reverted) => {
      for (const { step, result } of reverted) {
        if (result === 'done') this.#agree(step.path, before.get(step.path));
      }
      this.#options.onApplied(this.name);
    };
    const reverted = await revert(changeSet, outcomes, before, { applier: this.#applier, record });
    this.#adopt(reverted);
    const text = refusalText(refusal);
    this.#options.log.error('a change set was taken back', { changeSet: changeSet.id, reason: text });
    const takenBack = [...results.keys()].map((path) => ({
      directory: this.name,
      action: 'restore' as const,
      path,
      bytes: 0,
      reason: text,
    }));
    session.send({
      type: 'applied',
      directory: this.name,
      changeSet: changeSet.id,
      actions: takenBack.slice(0, MAX_ITEMS),
    });
    for (const path of results.keys()) results.set(path, { result: 'failed', why: text });
    this.#block(new Map([[refusal.file ?? '', text]]));
    await activation.activate(new Set());
  }

  /** What was refused is not tried again before something changes, or a reconcile asks for it. */
  #block(reasons: ReadonlyMap<string, string>): void {
    this.#blocked = { signature: this.#signature(), reasons };
  }

  /** What is to be done, as far as it can be refused. */
  #signature(): string {
    const parts = [...this.#pending].map(([path, decision]) => {
      const entry = decision.kind === 'deliver' ? decision.entry : undefined;
      return JSON.stringify([path, decision.kind, entry?.type === 'file' ? entry.hash : '']);
    });
    return parts.sort().join('\n');
  }

  async #upload(job: Job & { kind: 'upload' }, session: Session): Promise<Map<string, JobResult>> {
    const results = await upload(this.name, job.items, session, this.replica);
    this.#options.db.transaction(() => {
      this.#options.db.advance();
      for (const [path, { result }] of results) {
        const item = job.items.get(path);
        if (result === 'done' && item && item.kind !== 'lose') this.#agree(path, agreedAfter(item));
      }
    });
    await this.#deliverWinners(job, results, session);
    return results;
  }

  /** Main has the losers of conflicts in its trash: now the winners may replace them here. */
  async #deliverWinners(
    job: Job & { kind: 'upload' },
    results: Map<string, JobResult>,
    session: Session,
  ): Promise<void> {
    const winners = new Map<string, Decision & { kind: 'deliver' }>();
    for (const [path, item] of job.items) {
      if (item.kind !== 'lose' || results.get(path)?.result !== 'done') continue;
      const { winner: entry, loser: expect, reason } = item;
      winners.set(path, {
        kind: 'deliver',
        entry,
        expect,
        replacesSpecial: false,
        content: true,
        drift: false,
        reason,
      });
    }
    if (winners.size === 0) return;
    const delivered = await this.#download({ kind: 'download', size: 'bulk', items: winners }, session);
    for (const [path, result] of delivered) results.set(path, result);
  }

  /** Writes into the ledger what a change set did, in the transaction that ends it. */
  #recorder(items: ReadonlyMap<string, Decision>): Record {
    return (_changeSet, outcomes) => {
      const removed: Entry[] = [];
      for (const { step, result } of outcomes) {
        if (result !== 'done' || step.kind === 'keep') continue;
        this.#agree(step.path, step.kind === 'remove' ? undefined : step.entry);
        if (step.kind === 'remove' && items.get(step.path)?.kind === 'remove') removed.push(step.entry);
      }
      this.#countRemovals(removed);
      if (!outcomes.some(({ result }) => result === 'done')) return;
      this.#options.db.advance();
      this.#options.onApplied(this.name);
    };
  }

  /** What was only renamed on Main was not removed. */
  #countRemovals(removed: readonly Entry[]): void {
    let files = removed.filter(({ type }) => type !== 'folder').length;
    if (files > 1) files -= countSurvivors(removed, this.mainView);
    if (files > 0) this.#removals.push({ at: this.#options.clock.monotonic(), files });
  }

  #adopt(outcomes: readonly Outcome[]): void {
    for (const { step, result, stamp } of outcomes) {
      if (result !== 'done' || step.kind === 'keep') continue;
      const placed =
        step.kind === 'remove' || stamp === undefined
          ? undefined
          : { state: { kind: 'settled' as const, entry: step.entry }, stamp };
      this.replica.adopt(step.path, placed);
    }
    this.replica.flush();
  }

  async #settleResults(job: Job, results: ReadonlyMap<string, JobResult>): Promise<void> {
    const { clock, log } = this.#options;
    const stale: string[] = [];
    for (const path of job.items.keys()) {
      const { result, why } = results.get(path) ?? { result: 'failed', why: 'nothing was heard of it' };
      if (result === 'done') this.retries.succeeded(path);
      else if (result === 'stale') {
        stale.push(path);
        this.retries.stale(path, clock.monotonic());
      } else if (this.#session !== undefined) {
        // A lost connection is no trouble of the file.
        this.retries.failed(path, why ?? 'it failed', clock.monotonic(), clock.now());
        log.warn('file could not be synchronised', { path, reason: why });
      }
    }
    if (stale.length > 0) await this.replica.relook(stale);
  }

  /** What was stale is tried again in a moment, and waited for; what failed is told instead. */
  #hasSoonDue(): boolean {
    if (!this.#canWork() || this.#paused) return false;
    return [...this.#pending.keys()].some((path) => !this.retries.troubles.has(path));
  }

  #armRetry(): void {
    clearTimeout(this.#retryTimer);
    if (this.#closed || !this.#canWork()) return;
    const waiting = [...this.#pending.keys()].filter((path) => !this.#inFlight.has(path));
    const next = this.retries.next(waiting);
    if (next === undefined) return;
    const wait = Math.max(10, next - this.#options.clock.monotonic());
    this.#retryTimer = setTimeout(() => this.#wake([]), wait);
  }

  #wakeIdle(): void {
    const idle = this.#idle;
    this.#idle = [];
    for (const resolve of idle) resolve();
  }
}

function describe(entry: Entry | undefined, kind: string | undefined): string {
  if (entry === undefined) return kind ?? 'nothing';
  if (entry.type === 'file') return `file ${entry.size} bytes, sha256 ${entry.hash.slice(0, 12)}…`;
  return entry.type === 'link' ? `link to ${entry.target}` : 'folder';
}
