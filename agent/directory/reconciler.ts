import type { DirectoryPolicy } from '#protocol/messages/common.ts';
import { withRemedy } from '#host/fs/remedy.ts';
import type { Entry } from '#core/manifest/entry.ts';
import { entryOf } from '#core/manifest/pathState.ts';
import type { Excludes } from '#core/path/excludes.ts';
import { isBelow } from '#core/path/relative.ts';
import type { Decision } from '#core/plan/decision.ts';
import { plan, type Plan } from '#core/plan/plan.ts';
import type { PlanInput } from '#core/plan/planInput.ts';
import type { Replica } from '#sync/scan/replica.ts';
import type { Logger } from '#host/log/logger.ts';
import { STATE_RETRY } from '#sync/state/deferredWriter.ts';
import type { Clock } from '#host/time/clock.ts';
import type { AgentSession } from '../connection/agentSession.ts';
import type { AgreedState } from './agreedState.ts';
import type { JobResult } from './jobs/download.ts';
import type { JobRunner } from './jobs/jobRunner.ts';
import type { MainManifest } from './mainManifest.ts';
import type { RemovalCounter } from './removalCounter.ts';
import { Retries } from './retries.ts';
import { bytesToTravel, type Job, schedule } from './jobs/schedule.ts';

/** Why an action is not carried out: the set was refused (`hold`), or an attempt failed (`skip`). */
export type Obstacle = { readonly action: 'hold' | 'skip'; readonly reason: string };

export type WorkerOptions = {
  readonly policy: DirectoryPolicy;
  readonly excludes: Excludes;
  readonly mainView: MainManifest;
  readonly replica: Replica;
  readonly accounts: AgreedState;
  readonly removals: RemovalCounter;
  readonly runner: JobRunner;
  readonly clock: Clock;
  readonly log: Logger;
  /** Called when the report has changed. */
  readonly onNews: () => void;
};

/** Plans dirty paths, pass by pass, and keeps jobs running until nothing is left to do. */
export class Reconciler {
  readonly retries = new Retries();
  /** The reason of a hold, from the newest plan. */
  held: string | undefined;
  /** The revision of Main's manifest that the newest plan is about. */
  plannedRevision = 0;
  /** The removals on hold. */
  #heldPaths: ReadonlySet<string> = new Set();
  readonly #options: WorkerOptions;
  #session: AgentSession | undefined;
  /** True after the first scan: before that, absence means nothing. */
  #ready = false;
  #paused = false;
  #closed = false;
  #dirty: 'all' | Set<string> = 'all';
  /** Pending actions, from the newest plan of each path. */
  readonly #pending = new Map<string, Decision>();
  readonly #inFlight = new Set<string>();
  #running: Job[] = [];
  #turn: Promise<void> = Promise.resolve();
  #turnDue = false;
  /** Promises of the running jobs. */
  readonly #jobs = new Set<Promise<void>>();
  #cancelRetry: (() => void) | undefined;
  #cancelLater: (() => void) | undefined;
  /** The pending actions when lint or Asterisk refused them. */
  #refused: string | undefined;
  /** The paths of the change set that was refused last. */
  #refusedPaths: ReadonlySet<string> = new Set();
  #idle: (() => void)[] = [];

  constructor(options: WorkerOptions) {
    this.#options = options;
  }

  /** Running jobs, including those that are being recorded. */
  get jobs(): number {
    return this.#jobs.size;
  }

  get pending(): number {
    return this.#pending.size;
  }

  /** Bytes to be transferred, in both directions, including those in progress. */
  get pendingBytes(): number {
    let bytes = 0;
    for (const item of this.#pending.values()) bytes += bytesToTravel(item);
    return bytes;
  }

  /** True when the newest plan covered everything. */
  get isPlanned(): boolean {
    return this.#ready && this.#dirty !== 'all';
  }

  /** True when nothing is in progress, waiting, failed or on hold, and everything was planned. */
  get isAtRest(): boolean {
    return (
      this.isPlanned &&
      this.#canWork() &&
      this.#dirty !== 'all' &&
      this.#dirty.size === 0 &&
      this.#pending.size === 0 &&
      this.#running.length === 0 &&
      this.held === undefined &&
      this.#refused === undefined &&
      this.retries.troubles.size === 0
    );
  }

  attach(session: AgentSession, paused: boolean): void {
    this.#session = session;
    this.#paused = paused;
    this.retries.resetBackoff();
  }

  detach(): void {
    this.#session = undefined;
    // Waits for work that needs Main can't be satisfied any more.
    this.wake([]);
  }

  pause(paused: boolean): void {
    this.#paused = paused;
    this.wake('all');
  }

  /** The first scan is complete: work may begin. */
  begin(): void {
    this.#ready = true;
    this.wake('all');
  }

  /** Failed and refused actions may be retried. */
  resetBackoff(): void {
    this.retries.resetBackoff();
    this.#refused = undefined;
  }

  /** Main changed these paths: they are retried; in a directory with atomic sets, the whole set is. */
  mainChanged(paths: readonly string[]): void {
    this.retries.resetBackoff(this.#wholeSets ? undefined : paths);
    this.wake(paths);
  }

  /** These paths changed here, which may have removed the cause of a refusal. */
  changedHere(paths: Iterable<string>): void {
    this.#refused = undefined;
    this.wake(paths);
  }

  wake(paths: 'all' | Iterable<string>): void {
    if (paths === 'all') this.#dirty = 'all';
    else if (this.#dirty !== 'all') for (const path of paths) this.#dirty.add(path);
    if (this.#turnDue || this.#closed) return;
    this.#turnDue = true;
    this.#turn = this.#turn.then(() => this.#pass());
  }

  /** The facts for the planner. */
  planInput(): PlanInput {
    const { policy, excludes, mainView, replica, accounts, removals, clock } = this.#options;
    return {
      policy,
      excludes,
      main: mainView,
      mds: replica,
      ledger: accounts.ledger.entries,
      tombstones: mainView.tombstones,
      clockOffset: this.#session?.clockOffset.nanoseconds ?? 0n,
      mainClocks: mainView.clocks,
      budget: removals.budget(accounts.ledger.files, clock.monotonic()),
    };
  }

  /** True when lint or Asterisk has refused the pending actions as they are now. */
  get isRefused(): boolean {
    return this.#refused !== undefined && this.#refused === this.#signature();
  }

  /** What prevents a pending action, as far as it was attempted; undefined when nothing does. */
  obstacleOf(path: string): Obstacle | undefined {
    const trouble = this.#pending.has(path) ? this.retries.troubles.get(path) : undefined;
    if (trouble === undefined) return undefined;
    if (this.#refusedPaths.has(path)) return { action: 'hold', reason: trouble.message };
    return { action: 'skip', reason: `it failed and is retried: ${trouble.message}` };
  }

  plan(paths?: Iterable<string>): Plan {
    return plan({ ...this.planInput(), ...(paths && { paths }) });
  }

  /** Resolves when nothing is in progress and nothing can be done now. */
  async whenIdle(): Promise<void> {
    await this.#turn;
    while (!this.#closed && (this.#running.length > 0 || this.#turnDue || this.#hasSoonDue())) {
      await this.#nextIdle();
      await this.#turn;
    }
  }

  /** Starts no further jobs, and waits for the running ones. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelRetry?.();
    this.#cancelLater?.();
    this.#session = undefined;
    await this.#turn;
    await Promise.all(this.#jobs);
    this.#wakeIdle();
  }

  get #wholeSets(): boolean {
    return this.#options.policy.reload !== 'none';
  }

  /** Never fails: errors belong to their paths. */
  async #pass(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.#turnDue = false;
    if (this.#canWork()) this.#work();
    this.#options.onNews();
    this.#armRetry();
    if (this.#running.length === 0) this.#wakeIdle();
  }

  #work(): void {
    const dirty = this.#dirty;
    this.#dirty = new Set();
    try {
      if (dirty === 'all') this.#take(this.plan(), dirty);
      else if (dirty.size > 0) {
        // A mass removal may arrive in small portions: pending removals are judged together with new ones.
        const scope = new Set([...dirty, ...this.#pendingRemovals()]);
        this.#take(this.plan(scope), scope);
      }
    } catch (error) {
      // The ledger can't be written (a full disk): nothing that depends on it may start.
      this.#options.log.error('the state could not be written; it is tried again', { error });
      this.#dirty = 'all';
      this.#planAgain(STATE_RETRY);
      return;
    }
    this.#startJobs();
    this.#endConfirmation();
  }

  /** @param delay milliseconds */
  #planAgain(delay: number): void {
    this.#cancelLater?.();
    if (!this.#closed) this.#cancelLater = this.#options.clock.after(delay, () => this.wake('all'));
  }

  #canWork(): boolean {
    const { policy, mainView } = this.#options;
    if (this.#closed || this.#session === undefined || !mainView.isReady || !this.#ready) return false;
    // Before the clock offset is known, the newer of two versions can't be determined.
    return policy.direction !== 'both' || this.#session.clockOffset.known;
  }

  /** Applies a plan: changes of the ledger alone are made at once. */
  #take(made: Plan, scope: 'all' | ReadonlySet<string>): void {
    const { mainView, accounts, removals, clock } = this.#options;
    if (scope === 'all') {
      this.#pending.clear();
      this.held = made.held;
      this.#heldPaths = new Set(made.heldPaths);
      if (made.heldPaths.length > 0 && !removals.isAdditive) removals.held();
      const again = made.held === undefined ? removals.nothingHeld(clock.monotonic()) : undefined;
      if (again !== undefined) this.#planAgain(again);
    } else {
      for (const path of scope) {
        this.#pending.delete(path);
        if (!made.decisions.has(path)) this.retries.succeeded(path);
      }
      this.held = made.held ?? this.held;
      // A hold is judged over everything, not over the current paths.
      if (made.heldPaths.length > 0) this.wake('all');
    }
    this.plannedRevision = mainView.revision ?? 0;
    const learnt = new Map<string, Entry | undefined>();
    for (const [path, decision] of made.decisions) {
      this.#pending.delete(path);
      if (decision.kind === 'agree') learnt.set(path, decision.entry);
      else if (decision.kind === 'forget') {
        if (!this.#isBeingFilled(path)) learnt.set(path, undefined);
      } else if (decision.kind === 'skip') this.#noteSkip(path, decision);
      else this.#pending.set(path, decision);
    }
    if (scope === 'all') this.#forgetTroubles(made);
    accounts.learn(learnt);
  }

  /**
   * A job is running in this folder: its new files look local until they are in the ledger, and so does the folder.
   * Both are judged when the job ends.
   */
  #isBeingFilled(path: string): boolean {
    if (entryOf(this.#options.replica.get(path))?.type !== 'folder') return false;
    for (const inFlight of this.#inFlight) if (isBelow(inFlight, path)) return true;
    return false;
  }

  #noteSkip(path: string, { failed, reason }: Decision & { kind: 'skip' }): void {
    if (failed) this.retries.troubles.set(path, { at: this.#options.clock.now(), message: reason });
  }

  /** Errors of paths without pending actions are cleared. */
  #forgetTroubles(made: Plan): void {
    for (const path of [...this.retries.troubles.keys()]) {
      if (!made.decisions.has(path)) this.retries.succeeded(path);
    }
    for (const [path, why] of this.#options.mainView.refused) {
      const message = `Main names a path that is refused: ${why}`;
      this.retries.troubles.set(path, { at: this.#options.clock.now(), message });
    }
  }

  #startJobs(): void {
    const session = this.#session;
    if (this.#paused || session === undefined) return;
    const now = this.#options.clock.monotonic();
    const ready = new Map<string, Decision>();
    for (const [path, decision] of this.#pending) {
      if (!this.#inFlight.has(path) && this.retries.isDue(path, now)) ready.set(path, decision);
    }
    if (ready.size === 0 || this.#refused === this.#signature()) return;
    this.#refused = undefined;
    const { replica, mainView } = this.#options;
    const jobs = schedule({
      ready,
      running: this.#running,
      wholeSets: this.#wholeSets,
      largeFrom: this.#options.runner.largeFrom,
      folderIsThere: (folder, direction) => {
        const side = direction === 'download' ? replica : mainView;
        return entryOf(side.get(folder))?.type === 'folder';
      },
    });
    for (const job of jobs) this.#begin(job, session);
  }

  #begin(job: Job, session: AgentSession): void {
    const ended = this.#run(job, session)
      .catch((error: unknown) => this.#options.log.error('a job could not be ended', { error }))
      .finally(() => this.#jobs.delete(ended));
    this.#jobs.add(ended);
  }

  async #run(job: Job, session: AgentSession): Promise<void> {
    this.#running = [...this.#running, job];
    for (const path of job.items.keys()) this.#inFlight.add(path);
    const { results, refused } = await this.#options.runner.run(job, this.#heldPaths, session);
    this.#running = this.#running.filter((other) => other !== job);
    for (const path of job.items.keys()) this.#inFlight.delete(path);
    if (refused) this.#refused = this.#signature();
    this.#refusedPaths = new Set(refused ? job.items.keys() : []);
    await this.#settle(job, results);
    this.wake(job.items.keys());
  }

  async #settle(job: Job, results: ReadonlyMap<string, JobResult>): Promise<void> {
    const { clock, log, replica } = this.#options;
    const stale: string[] = [];
    for (const path of job.items.keys()) {
      const { result, why } = results.get(path) ?? { result: 'failed', why: 'there was no answer about it' };
      if (result === 'done') this.retries.succeeded(path);
      else if (result === 'stale') {
        stale.push(path);
        this.retries.stale(path, clock.monotonic());
      } else if (this.#session !== undefined) {
        // A lost connection is not an error of the file.
        const reason = withRemedy(why ?? 'it failed');
        this.retries.failed(path, reason, clock.monotonic(), clock.now());
        log.warn('file could not be synchronised', { path, reason });
      }
    }
    if (stale.length > 0) await replica.recheck(stale);
  }

  /** The pending actions that can be refused: the same set would be refused again. */
  #signature(): string {
    const parts = [...this.#pending].map(([path, decision]) => {
      const entry = decision.kind === 'deliver' ? decision.entry : undefined;
      return JSON.stringify([path, decision.kind, entry?.type === 'file' ? entry.hash : '']);
    });
    return parts.sort().join('\n');
  }

  /** A confirmation applies once, to what was on hold when it was given. */
  #endConfirmation(): void {
    const { removals, clock } = this.#options;
    if (!removals.isConfirmed(clock.monotonic()) || this.#running.length > 0 || this.#dirty === 'all') return;
    if (this.#pendingRemovals().length === 0) removals.used();
  }

  #pendingRemovals(): string[] {
    return [...this.#pending].flatMap(([path, { kind }]) =>
      kind === 'remove' || kind === 'remove-on-main' ? [path] : [],
    );
  }

  /** Stale items are retried at once and waited for; failures are reported instead. */
  #hasSoonDue(): boolean {
    if (!this.#canWork() || this.#paused) return false;
    return [...this.#pending.keys()].some((path) => !this.retries.troubles.has(path));
  }

  #armRetry(): void {
    this.#cancelRetry?.();
    if (!this.#canWork()) return;
    const waiting = [...this.#pending.keys()].filter((path) => !this.#inFlight.has(path));
    const next = this.retries.next(waiting);
    if (next === undefined) return;
    const { clock } = this.#options;
    const wait = Math.max(10, next - clock.monotonic());
    this.#cancelRetry = clock.after(wait, () => this.wake([]));
  }

  #nextIdle(): Promise<void> {
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #wakeIdle(): void {
    const idle = this.#idle;
    this.#idle = [];
    for (const resolve of idle) resolve();
  }
}
