import type { DirectoryPolicy } from '#protocol/messages/common.ts';
import { entryOf } from '#core/manifest/pathState.ts';
import { withRemedy } from '#host/fs/remedy.ts';
import type { Logger } from '#host/log/logger.ts';
import type { Clock } from '#host/time/clock.ts';
import type { Replica } from '#sync/scan/replica.ts';
import type { AgentSession } from '../../connection/agentSession.ts';
import type { CurrentPlan } from '../currentPlan.ts';
import type { MainManifest } from '../manifest/mainManifest.ts';
import type { Retries } from '../retries.ts';
import { type Failed, logFailed } from './announce.ts';
import type { JobResult } from './download.ts';
import type { JobRunner } from './jobRunner.ts';
import { readyOf } from './ready.ts';
import { type Job, type Room, roomBeside, schedule, type ScheduleInput } from './schedule.ts';

const UNLIMITED: Room = { download: Infinity, upload: Infinity };

export type RunningJobsOptions = {
  readonly policy: DirectoryPolicy;
  readonly mainManifest: MainManifest;
  readonly replica: Replica;
  readonly runner: JobRunner;
  readonly clock: Clock;
  readonly log: Logger;
};

/** What the reconciler knows, and hears, of its jobs. */
export interface JobsOwner {
  /** False when the connection of a job was lost while it was running, even if there is another one by now. */
  isConnected(session: AgentSession): boolean;
  /** A job has ended: its paths are planned again. */
  ended(paths: Iterable<string>): void;
}

/** The jobs of one directory: starts those that are due, and remembers what lint or Asterisk refused. */
export class RunningJobs {
  readonly #options: RunningJobsOptions;
  readonly #current: CurrentPlan;
  readonly #retries: Retries;
  readonly #owner: JobsOwner;
  #running: Job[] = [];
  /** Promises of the running jobs. */
  readonly #ends = new Set<Promise<void>>();
  /** The pending actions when lint or Asterisk refused them. */
  #refused: string | undefined;
  /** The paths of the change set that was refused last. */
  refusedPaths: ReadonlySet<string> = new Set();

  constructor(options: RunningJobsOptions, current: CurrentPlan, retries: Retries, owner: JobsOwner) {
    this.#options = options;
    this.#current = current;
    this.#retries = retries;
    this.#owner = owner;
  }

  /** Running jobs, including those that are being recorded. */
  get count(): number {
    return this.#ends.size;
  }

  /** True while a job is being carried out. */
  get areAtWork(): boolean {
    return this.#running.length > 0;
  }

  /** True when a set was refused and nothing has changed that may have removed the cause. */
  get hasRefusal(): boolean {
    return this.#refused !== undefined;
  }

  /** True when lint or Asterisk has refused the pending actions as they are now. */
  get isRefused(): boolean {
    return this.#refused !== undefined && this.#refused === this.#current.signature;
  }

  /** What was refused may be retried. */
  dropRefusal(): void {
    this.#refused = undefined;
  }

  /** Starts what is pending, due and not in progress. */
  start(session: AgentSession): void {
    const { replica, mainManifest, policy, runner, clock } = this.#options;
    const now = clock.monotonic();
    const wholeSets = policy.reload !== 'none';
    const { largeFrom } = runner;
    const { pending, inFlight, moves, live } = this.#current;
    const isDue = (path: string): boolean => !inFlight.has(path) && this.#retries.isDue(path, now);
    const room = wholeSets ? UNLIMITED : roomBeside(this.#running);
    const ready = readyOf(pending, { isDue, largeFrom, moves, live, room });
    if (ready.size === 0 || this.isRefused) return;
    this.#refused = undefined;
    const folderIsThere: ScheduleInput['folderIsThere'] = (folder, direction) => {
      const side = direction === 'download' ? replica : mainManifest;
      return entryOf(side.get(folder))?.type === 'folder';
    };
    const jobsFrom = (some: typeof ready): Job[] =>
      schedule({ ready: some, moves, live, running: this.#running, wholeSets, largeFrom, folderIsThere });
    let jobs = jobsFrom(ready);
    // All of the first may be waiting for folders that come later.
    if (jobs.length === 0 && !this.areAtWork)
      jobs = jobsFrom(readyOf(pending, { isDue, largeFrom, moves, live, room: UNLIMITED }));
    for (const job of jobs) this.#begin(job, session);
  }

  async ended(): Promise<void> {
    await Promise.all(this.#ends);
  }

  #begin(job: Job, session: AgentSession): void {
    const ended = this.#run(job, session)
      .catch((error: unknown) => this.#options.log.error('a job could not be ended', { error }))
      .finally(() => this.#ends.delete(ended));
    this.#ends.add(ended);
  }

  async #run(job: Job, session: AgentSession): Promise<void> {
    const { heldPaths, inFlight } = this.#current;
    this.#running = [...this.#running, job];
    for (const path of job.items.keys()) inFlight.add(path);
    const { results, refused } = await this.#options.runner.run(job, heldPaths, session);
    this.#running = this.#running.filter((other) => other !== job);
    for (const path of job.items.keys()) inFlight.delete(path);
    if (refused) this.#refused = this.#current.signature;
    this.refusedPaths = new Set(refused ? job.items.keys() : []);
    await this.#settle(job, results, session);
    this.#owner.ended(job.items.keys());
  }

  async #settle(job: Job, results: ReadonlyMap<string, JobResult>, session: AgentSession): Promise<void> {
    const { clock, log, replica } = this.#options;
    const stale: string[] = [];
    const failed: Failed[] = [];
    for (const path of job.items.keys()) {
      const { result, why } = results.get(path) ?? { result: 'failed', why: 'there was no answer about it' };
      if (result === 'done') this.#retries.succeeded(path);
      else if (result === 'stale') {
        stale.push(path);
        this.#retries.stale(path, clock.monotonic());
      } else if (this.#owner.isConnected(session)) {
        // A lost connection is not an error of the file.
        const reason = withRemedy(why ?? 'it failed');
        this.#retries.failed(path, reason, clock.monotonic(), clock.now());
        failed.push({ path, reason });
      }
    }
    logFailed(log, failed);
    if (stale.length > 0) await replica.recheck(stale);
  }
}
