import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DirectoryPolicy } from '#protocol/messages/common.ts';
import type { Entry } from '#core/manifest/entry.ts';
import type { Decision } from '#core/plan/decision.ts';
import type { Logger } from '#host/log/logger.ts';
import type { Replica } from '#sync/scan/replica.ts';
import type { AgentSession } from '../../../../../agent/connection/agentSession.ts';
import { CurrentPlan, type CurrentPlanOptions } from '../../../../../agent/directory/currentPlan.ts';
import type { Failed } from '../../../../../agent/directory/jobs/announce.ts';
import type { JobResult } from '../../../../../agent/directory/jobs/download.ts';
import type { JobEnd, JobRunner } from '../../../../../agent/directory/jobs/jobRunner.ts';
import { RunningJobs } from '../../../../../agent/directory/jobs/runningJobs.ts';
import type { Job } from '../../../../../agent/directory/jobs/schedule.ts';
import type { MainManifest } from '../../../../../agent/directory/manifest/mainManifest.ts';
import { Retries } from '../../../../../agent/directory/retries.ts';
import { eventually } from '../../../../support/harness/host.ts';
import { fileEntry } from '../../../../support/unit/applyPlace.ts';
import { ManualClock } from '../../../../support/wire/manualClock.ts';

const FIRST_DELAY = 500;

function deliver(entry: Entry): Decision {
  const plain = { replacesSpecial: false, content: true, drift: false };
  return { kind: 'deliver', entry, expect: undefined, reason: 'new on Main', ...plain };
}

/** The jobs of a directory whose runner does what the test says. */
class Jobs {
  readonly clock = new ManualClock();
  readonly retries = new Retries();
  readonly current = new CurrentPlan({} as CurrentPlanOptions, this.retries);
  readonly ends: { readonly job: Job; readonly end: (end: JobEnd) => void }[] = [];
  readonly warnings: string[] = [];
  readonly rechecked: string[] = [];
  readonly planned: string[] = [];
  isConnected = true;
  readonly jobs: RunningJobs;

  constructor(reload: DirectoryPolicy['reload'] = 'none') {
    const run = (job: Job): Promise<JobEnd> =>
      new Promise((resolve) => this.ends.push({ job, end: resolve }));
    const recheck = (paths: readonly string[]): void => void this.rechecked.push(...paths);
    this.jobs = new RunningJobs(
      {
        policy: { reload } as DirectoryPolicy,
        mainManifest: { get: () => undefined } as unknown as MainManifest,
        replica: { get: () => undefined, recheck } as unknown as Replica,
        runner: { largeFrom: 1_000_000, run } as unknown as JobRunner,
        clock: this.clock,
        log: {
          warn: (_event: string, details: Failed & { others?: number }) =>
            this.warnings.push(
              `${details.path}: ${details.reason}${details.others === undefined ? '' : ` (${details.others} others)`}`,
            ),
        } as unknown as Logger,
      },
      this.current,
      this.retries,
      {
        isConnected: () => this.isConnected,
        ended: (paths) => this.planned.push(...paths),
      },
    );
  }

  pending(...paths: readonly string[]): void {
    for (const path of paths) this.current.pending.set(path, deliver(fileEntry(path)));
  }

  /** The paths of the jobs that are started now. */
  start(): string[] {
    const before = this.ends.length;
    this.jobs.start({} as AgentSession);
    return this.ends.slice(before).flatMap(({ job }) => [...job.items.keys()]);
  }

  /** Ends all jobs with one result for each of their paths. */
  async endAll(result: JobResult): Promise<void> {
    for (const { job, end } of this.ends)
      end({ results: new Map([...job.items.keys()].map((path) => [path, result])), refused: false });
    await this.jobs.ended();
  }

  /** Ends the newest job with one result for each of its paths. */
  async end(result: JobResult | ((path: string) => JobResult), refused = false): Promise<void> {
    const last = this.ends.at(-1);
    assert.ok(last);
    const resultOf = typeof result === 'function' ? result : (): JobResult => result;
    last.end({
      results: new Map([...last.job.items.keys()].map((path) => [path, resultOf(path)])),
      refused,
    });
    await this.jobs.ended();
  }
}

describe('The jobs of a directory', () => {
  it('start what is pending once, and plan its paths again when they end', async () => {
    const jobs = new Jobs();
    jobs.pending('a', 'b');
    assert.deepEqual(jobs.start(), ['a', 'b']);
    assert.deepEqual(jobs.start(), []);
    assert.equal(jobs.jobs.areAtWork, true);
    await jobs.end({ result: 'done' });
    assert.equal(jobs.jobs.areAtWork, false);
    assert.equal(jobs.jobs.count, 0);
    assert.equal(jobs.current.inFlight.size, 0);
    assert.deepEqual(jobs.planned, ['a', 'b']);
  });

  it('report a file that failed, and try it again when its delay is over', async () => {
    const jobs = new Jobs();
    jobs.pending('a');
    jobs.start();
    await jobs.end({ result: 'failed', why: 'EIO' });
    assert.equal(jobs.retries.troubles.get('a')?.message, 'EIO: the disk fails: look at dmesg');
    assert.deepEqual(jobs.warnings, ['a: EIO: the disk fails: look at dmesg']);
    jobs.clock.advance(FIRST_DELAY - 1);
    assert.deepEqual(jobs.start(), []);
    jobs.clock.advance(1);
    assert.deepEqual(jobs.start(), ['a']);
    await jobs.end({ result: 'done' });
    assert.equal(jobs.retries.troubles.size, 0);
  });

  it('log each file that failed, and of very many one for each reason', async () => {
    const jobs = new Jobs();
    const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `${i}`);
    const fail = (path: string): JobResult => ({
      result: 'failed',
      why: path === '7' ? 'a reason of its own' : 'ECONNRESET',
    });
    jobs.pending(...names(20));
    jobs.start();
    await jobs.end(fail);
    assert.equal(jobs.warnings.length, 20);
    assert.match(jobs.warnings[0] ?? '', /^0: ECONNRESET/);
    jobs.warnings.length = 0;
    jobs.clock.advance(FIRST_DELAY);
    jobs.pending(...names(21));
    assert.equal(jobs.start().length, 21);
    await jobs.end(fail);
    assert.deepEqual(
      jobs.warnings.map((each) => each.replace(/ECONNRESET.*(?= \()/, 'ECONNRESET')),
      ['0: ECONNRESET (19 others)', '7: a reason of its own'],
    );
    assert.equal(jobs.retries.troubles.size, 21);
    jobs.warnings.length = 0;
    jobs.clock.advance(10 * FIRST_DELAY);
    jobs.start();
    await jobs.end((path) => ({ result: 'failed', why: `reason ${path}` }));
    assert.equal(jobs.warnings.length, 20);
  });

  it('start with a folder that comes after very many files which have to wait for it', () => {
    const jobs = new Jobs();
    jobs.pending(...Array.from({ length: 8_001 }, (_, i) => `late/${i}`));
    const folder = { type: 'folder', mode: 0o755, owner: 'root', group: 'root', uid: 0, gid: 0 } as const;
    jobs.current.pending.set('late', deliver(folder));
    assert.deepEqual(jobs.start(), ['late']);
  });

  it('send what is new here while very many files arrive', async () => {
    const jobs = new Jobs();
    const names = Array.from({ length: 10_000 }, (_, i) => `${i}.wav`);
    jobs.pending(...names);
    assert.deepEqual(jobs.start(), names.slice(0, 2_800));
    const plain = { expect: undefined, content: true, conflict: false, reason: 'new here' };
    jobs.current.pending.set('recording', { kind: 'upload', entry: fileEntry('recording'), ...plain });
    assert.deepEqual(jobs.start(), ['recording']);
    await jobs.endAll({ result: 'done' });
  });

  it('go on with the next change set when one has ended', async () => {
    const jobs = new Jobs();
    jobs.pending(...Array.from({ length: 4_000 }, (_, i) => `${i}.wav`));
    jobs.start();
    const [first, ...others] = jobs.ends.splice(0);
    assert.deepEqual([first?.job.items.size, others.length], [700, 3]);
    first?.end({
      results: new Map([...first.job.items.keys()].map((path) => [path, { result: 'done' }])),
      refused: false,
    });
    await eventually('its paths are planned again', () => jobs.planned.length === 700);
    for (const path of jobs.planned) jobs.current.pending.delete(path);
    assert.deepEqual([jobs.start().length, jobs.start().length], [700, 0]);
    jobs.ends.push(...others);
    await jobs.endAll({ result: 'done' });
  });

  it('report a path for which there is no result', async () => {
    const jobs = new Jobs();
    jobs.pending('a');
    jobs.start();
    jobs.ends[0]?.end({ results: new Map(), refused: false });
    await jobs.jobs.ended();
    assert.deepEqual(jobs.warnings, ['a: there was no answer about it']);
  });

  it('count no error against a file when the connection was lost meanwhile', async () => {
    const jobs = new Jobs();
    jobs.pending('a');
    jobs.start();
    jobs.isConnected = false;
    await jobs.end({ result: 'failed', why: 'the connection was lost' });
    assert.equal(jobs.retries.troubles.size, 0);
    assert.deepEqual(jobs.warnings, []);
    assert.deepEqual(jobs.start(), ['a']);
    await jobs.end({ result: 'done' });
  });

  it('read a file again that was not as planned, and try it again soon, without an error', async () => {
    const jobs = new Jobs();
    jobs.pending('a');
    jobs.start();
    await jobs.end({ result: 'stale' });
    assert.deepEqual(jobs.rechecked, ['a']);
    assert.equal(jobs.retries.troubles.size, 0);
    assert.deepEqual(jobs.start(), []);
    jobs.clock.advance(FIRST_DELAY);
    assert.deepEqual(jobs.start(), ['a']);
    await jobs.end({ result: 'done' });
  });

  it('do not try a refused set again until it is another one, or something here has changed', async () => {
    const jobs = new Jobs('dialplan');
    jobs.pending('a.conf');
    jobs.start();
    await jobs.end({ result: 'failed', why: 'line 1: broken' }, true);
    assert.equal(jobs.jobs.isRefused, true);
    assert.deepEqual([...jobs.jobs.refusedPaths], ['a.conf']);
    jobs.retries.resetBackoff();
    assert.deepEqual(jobs.start(), []);

    jobs.jobs.dropRefusal();
    assert.deepEqual(jobs.start(), ['a.conf']);
    await jobs.end({ result: 'failed', why: 'line 1: broken' }, true);
    jobs.retries.resetBackoff();
    jobs.pending('b.conf');
    assert.equal(jobs.jobs.isRefused, false);
    assert.equal(jobs.jobs.hasRefusal, true);
    assert.deepEqual(jobs.start(), ['a.conf', 'b.conf']);
    await jobs.end({ result: 'done' });
    assert.equal(jobs.jobs.hasRefusal, false);
    assert.equal(jobs.jobs.refusedPaths.size, 0);
  });

  it('start all of what Asterisk reads together, however much it is', async () => {
    const jobs = new Jobs('moh');
    jobs.pending(...Array.from({ length: 5_000 }, (_, i) => `${i}.wav`));
    assert.equal(jobs.start().length, 5_000);
    await jobs.end({ result: 'done' });
  });

  it('make a set of a directory that Asterisk reads wait for the one in progress', async () => {
    const jobs = new Jobs('moh');
    jobs.pending('a');
    jobs.start();
    jobs.pending('b');
    assert.deepEqual(jobs.start(), []);
    await jobs.end({ result: 'done' });
    jobs.current.pending.delete('a');
    assert.deepEqual(jobs.start(), ['b']);
    await jobs.end({ result: 'done' });
  });
});
