import type { Decision } from '#core/plan/decision.ts';
import { plan, type Plan } from '#core/plan/plan.ts';
import type { PlanInput } from '#core/plan/planInput.ts';
import type { Logger } from '#host/log/logger.ts';
import type { Lane } from '#host/process/turns.ts';
import { STATE_RETRY } from '#sync/state/deferredWriter.ts';
import type { Clock } from '#host/time/clock.ts';
import type { AgentSession } from '../connection/agentSession.ts';
import { CurrentPlan } from './currentPlan.ts';
import { type PlanFacts, planInputOf } from './planFacts.ts';
import { PlanTimers } from './planTimers.ts';
import type { JobRunner } from './jobs/jobRunner.ts';
import { RunningJobs } from './jobs/runningJobs.ts';
import { Retries } from './retries.ts';
import { Waiters } from './waiters.ts';
import { WholePlans } from './wholePlans.ts';

/** Why an action is not carried out: the set was refused (`hold`), or an attempt failed (`skip`). */
export type Obstacle = { readonly action: 'hold' | 'skip'; readonly reason: string };

export type ReconcilerOptions = {
  readonly facts: PlanFacts;
  readonly runner: JobRunner;
  readonly clock: Clock;
  readonly log: Logger;
  /** The turns of its passes, which hurry until their jobs have been started. */
  readonly lane?: Lane | undefined;
  /** Called when the report has changed. */
  readonly onNews: () => void;
};

/** Plans dirty paths, pass by pass, and keeps jobs running until nothing is left to do. */
export class Reconciler {
  readonly retries = new Retries();
  readonly #current: CurrentPlan;
  readonly #wholePlans: WholePlans;
  readonly #running: RunningJobs;
  readonly #options: ReconcilerOptions;
  #session: AgentSession | undefined;
  /** True after the first scan: before that, absence means nothing. */
  #ready = false;
  #paused = false;
  #closed = false;
  #suspension: Promise<void> | undefined;
  #dirty: 'all' | Set<string> = 'all';
  #turn: Promise<void> = Promise.resolve();
  #turnDue = false;
  readonly #timers: PlanTimers;
  readonly #idle = new Waiters();

  constructor(options: ReconcilerOptions) {
    this.#options = options;
    const { facts, runner, clock, log } = options;
    this.#timers = new PlanTimers(clock);
    this.#wholePlans = new WholePlans(facts);
    this.#current = new CurrentPlan({ ...facts, clock }, this.retries);
    this.#running = new RunningJobs({ ...facts, runner, clock, log }, this.#current, this.retries, {
      isConnected: (session) => this.#session === session,
      ended: (paths) => this.wake(this.#current.ended(paths, this.planInput())),
    });
  }

  /** The reason of a hold, from the newest plan. */
  get held(): string | undefined {
    return this.#current.held;
  }

  /** The revision of Main's manifest that the newest plan is about. */
  get plannedRevision(): number {
    return this.#current.revision;
  }

  /** Running jobs, including those that are being recorded. */
  get jobs(): number {
    return this.#running.count;
  }

  get pending(): number {
    return this.#current.pending.size;
  }

  /** Bytes to be transferred, in both directions, including those in progress. */
  get pendingBytes(): number {
    return this.#current.bytes;
  }

  /** True when the newest plan covered everything. */
  get isPlanned(): boolean {
    return this.#ready && this.#dirty !== 'all';
  }

  /** True when nothing is in progress, waiting, failed or on hold, and everything was planned. */
  get isAtRest(): boolean {
    return (
      this.#canWork() &&
      !(this.#dirty === 'all' || this.#dirty.size > 0) &&
      this.#current.pending.size === 0 &&
      !this.#running.areAtWork &&
      this.held === undefined &&
      !this.#running.hasRefusal &&
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

  /** True while a person on Main has paused synchronisation. */
  get isPaused(): boolean {
    return this.#paused;
  }

  pause(paused: boolean): void {
    this.#paused = paused;
    this.wake('all');
  }

  /** Plans nothing until this is settled, and then what has changed meanwhile. @param until never rejects */
  suspend(until: Promise<void>): void {
    this.#suspension = until.then(() => {
      this.#suspension = undefined;
      this.wake([]);
    });
  }

  /** The first scan is complete: work may begin. */
  begin(): void {
    this.#ready = true;
    this.wake('all');
  }

  /** Failed and refused actions may be retried. */
  resetBackoff(): void {
    this.retries.resetBackoff();
    this.#running.dropRefusal();
  }

  /** Main changed these paths: they are retried; in a directory with atomic sets, the whole set is. */
  mainChanged(paths: readonly string[]): void {
    const isWhole = this.#options.facts.policy.reload !== 'none';
    this.retries.resetBackoff(isWhole ? undefined : paths);
    this.wake(paths);
  }

  /** These paths changed here, which may have removed the cause of a refusal. */
  changedHere(paths: Iterable<string>): void {
    this.#running.dropRefusal();
    this.wake(this.#current.withoutInFlight(paths));
  }

  wake(paths: 'all' | Iterable<string>): void {
    if (paths === 'all') this.#dirty = 'all';
    else if (this.#dirty !== 'all') for (const path of paths) this.#dirty.add(path);
    if (this.#turnDue || this.#closed) return;
    this.#turnDue = true;
    const hurry = this.#options.lane?.hurry();
    this.#turn = this.#turn.then(() => this.#pass()).finally(() => hurry?.[Symbol.dispose]());
  }

  /** The facts for the planner. */
  planInput(): PlanInput {
    const { facts, clock } = this.#options;
    return planInputOf(facts, clock.monotonic(), this.#session?.clockOffset.nanoseconds);
  }

  /** True when lint or Asterisk has refused the pending actions as they are now. */
  get isRefused(): boolean {
    return this.#running.isRefused;
  }

  /** What prevents a pending action, as far as it was attempted; undefined when nothing does. */
  obstacleOf(path: string): Obstacle | undefined {
    const trouble = this.#current.pending.has(path) ? this.retries.troubles.get(path) : undefined;
    if (trouble === undefined) return undefined;
    if (this.#running.refusedPaths.has(path)) return { action: 'hold', reason: trouble.message };
    return { action: 'skip', reason: `it failed and is retried: ${trouble.message}` };
  }

  /** @param standing see {@link PlanInput} */
  plan(paths?: Iterable<string>, standing: ReadonlyMap<string, Decision> = new Map()): Plan {
    const input = this.planInput();
    return paths === undefined ? this.#wholePlans.plan(input) : plan({ ...input, paths, standing });
  }

  /** Resolves when nothing is in progress and nothing can be done now. */
  async whenIdle(): Promise<void> {
    await this.#suspension;
    await this.#turn;
    while (!this.#closed && (this.#running.areAtWork || this.#turnDue || this.#hasSoonDue())) {
      await this.#idle.next();
      await this.#turn;
    }
  }

  /** Starts no further jobs, and waits for the running ones. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timers.cancel();
    this.#session = undefined;
    await this.#turn;
    await this.#running.ended();
    this.#idle.wake();
  }

  /** Never fails: errors belong to their paths. */
  async #pass(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
    await this.#options.lane?.turn();
    this.#turnDue = false;
    if (this.#canWork()) this.#work();
    this.#options.onNews();
    this.#armRetry();
    if (!this.#running.areAtWork) this.#idle.wake();
  }

  #work(): void {
    const dirty = this.#dirty;
    this.#dirty = new Set();
    try {
      if (dirty === 'all') this.#take(this.plan(), dirty);
      else if (dirty.size > 0) {
        const { paths, standing } = this.#current.toPlan(dirty);
        this.#take(this.plan(paths, standing), new Set([...paths, ...standing.keys()]));
      }
    } catch (error) {
      // The ledger can't be written (a full disk): nothing that depends on it may start.
      this.#options.log.error('the state could not be written; it is tried again', { error });
      this.#dirty = 'all';
      return this.#planAgain(STATE_RETRY);
    }
    if (!this.#paused && this.#session !== undefined) this.#running.start(this.#session);
    this.#endConfirmation();
  }

  /** @param delay milliseconds */
  #planAgain(delay: number): void {
    if (!this.#closed) this.#timers.planAfter(delay, () => this.wake('all'));
  }

  #canWork(): boolean {
    const { policy, mainManifest } = this.#options.facts;
    if (this.#closed || this.#suspension !== undefined || !mainManifest.isReady || !this.#ready) return false;
    if (this.#session === undefined) return false;
    // Before the clock offset is known, the newer of two versions can't be determined.
    return policy.direction !== 'both' || this.#session.clockOffset.known;
  }

  #take(made: Plan, scope: 'all' | ReadonlySet<string>): void {
    const { atOnce, after } = this.#current.take(made, scope);
    if (atOnce) this.wake('all');
    if (after !== undefined) this.#planAgain(after);
  }

  /** A confirmation applies once, to what was on hold when it was given. */
  #endConfirmation(): void {
    const { removals } = this.#options.facts;
    const now = this.#options.clock.monotonic();
    if (!removals.isConfirmed(now) || this.#running.areAtWork || this.#dirty === 'all') return;
    if (this.#current.removals.size === 0) removals.used();
  }

  /** Stale items are retried at once and waited for; failures are reported instead. */
  #hasSoonDue(): boolean {
    if (!this.#canWork() || this.#paused) return false;
    return this.#current.pending.keys().some((path) => !this.retries.troubles.has(path));
  }

  #armRetry(): void {
    const { pending, inFlight } = this.#current;
    const isDue = (path: string): boolean => pending.has(path) && !inFlight.has(path);
    this.#timers.retryAt(this.#canWork() ? this.retries.next(isDue) : undefined, () => this.wake([]));
  }
}
