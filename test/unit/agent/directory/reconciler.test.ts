import assert from 'node:assert/strict';
import { mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { AgreedState } from '../../../../agent/directory/agreedState.ts';
import type { JobEnd, JobRunner } from '../../../../agent/directory/jobs/jobRunner.ts';
import { MainManifest } from '../../../../agent/directory/manifest/mainManifest.ts';
import type { PlanFacts } from '../../../../agent/directory/planFacts.ts';
import { RemovalCounter } from '../../../../agent/directory/removalCounter.ts';
import type { Job } from '../../../../agent/directory/jobs/schedule.ts';
import { Reconciler } from '../../../../agent/directory/reconciler.ts';
import type { AgentSession } from '../../../../agent/connection/agentSession.ts';
import { Owners } from '#host/fs/owners.ts';
import type { Logger } from '#host/log/logger.ts';
import type { Lane } from '#host/process/turns.ts';
import type { Entry } from '#core/manifest/entry.ts';
import { entryOf } from '#core/manifest/pathState.ts';
import { Excludes } from '#core/path/excludes.ts';
import type { Replica } from '#sync/scan/replica.ts';
import { Ledger } from '#sync/state/ledger.ts';
import { systemClock } from '#host/time/clock.ts';
import { ApplyPlace, fileEntry } from '../../../support/unit/applyPlace.ts';
import { HeldLane } from '../../../support/unit/heldLane.ts';
import { replicaOf } from '../../../support/unit/replicaOf.ts';

const POLICY = {
  name: 'files',
  direction: 'to-mds',
  deletions: 'main',
  settle: 0,
  reload: 'none',
  reloadAlways: false,
  lint: 'off',
} as const;

function factsOf(mainManifest: MainManifest, replica: Replica, agreed: AgreedState): PlanFacts {
  const removals = new RemovalCounter(
    { percent: 100, files: 1_000 },
    { load: () => false, save: () => undefined },
  );
  const excludes = new Excludes([]);
  return { policy: POLICY, excludes, mainManifest, replica, agreed, removals, owners: { revision: 0 } };
}

void test('a folder that Main removes while something is being put into it goes, too', async (t) => {
  const place = new ApplyPlace(t);
  mkdirSync(place.at('d'));
  const owners = new Owners();
  const mainManifest = new MainManifest(owners, new Set());
  const replica = await replicaOf(t, place, owners);
  const folder = entryOf(replica.get('d'));
  assert.ok(folder);
  const agreed = new AgreedState(new Ledger(place.db, 'files'), place.db, mainManifest, replica);
  place.db.transaction(() => agreed.agree('d', folder));
  const file = fileEntry('music');
  mainManifest.begin(null, null);
  mainManifest.page([
    { path: 'd', shown: { kind: 'settled', entry: folder } },
    { path: 'd/f', shown: { kind: 'settled', entry: file } },
  ]);
  mainManifest.end(1);

  const jobs: Job[] = [];
  const started = new EventTarget();
  const ends: ((end: JobEnd) => void)[] = [];
  const runner = {
    run: (job: Job): Promise<JobEnd> => {
      jobs.push(job);
      started.dispatchEvent(new Event('job'));
      return new Promise((resolve) => ends.push(resolve));
    },
  } as unknown as JobRunner;
  const nextJob = (): Promise<void> =>
    new Promise((resolve) => started.addEventListener('job', () => resolve(), { once: true }));
  const worker = new Reconciler({
    facts: factsOf(mainManifest, replica, agreed),
    runner,
    clock: systemClock,
    log: { warn: () => undefined } as unknown as Logger,
    onNews: () => undefined,
  });
  worker.attach({ clockOffset: { nanoseconds: 0n, known: true } } as unknown as AgentSession, false);
  const first = nextJob();
  worker.begin();
  await first;
  assert.deepEqual([...(jobs[0]?.items.keys() ?? [])], ['d/f']);

  // The file is on disk, the ledger does not know it yet, and Main has removed both meanwhile.
  writeFileSync(place.at('d/f'), 'music');
  await replica.rescan();
  await replica.whenQuiet(2_000);
  assert.equal(replica.get('d/f')?.kind, 'settled');
  mainManifest.change(1, 2, null, [
    { path: 'd', shown: { kind: 'gone' } },
    { path: 'd/f', shown: { kind: 'gone' } },
  ]);
  worker.mainChanged(['d', 'd/f']);
  worker.changedHere(['d/f']);
  await new Promise((resolve) => setTimeout(resolve, 20));

  const second = nextJob();
  place.db.transaction(() => agreed.agree('d/f', file));
  ends[0]?.({ results: new Map([['d/f', { result: 'done' }]]), refused: false });
  await second;
  const removed = [...(jobs[1]?.items ?? [])].map(([path, { kind }]) => `${kind} ${path}`);
  assert.deepEqual(removed.toSorted(), ['remove d', 'remove d/f']);
  ends[1]?.({ results: new Map(), refused: false });
  await worker.close();
});

const FAILED: JobEnd = {
  results: new Map([['f', { result: 'failed', why: 'it broke off' }]]),
  refused: false,
};

type OneFile = {
  readonly worker: Reconciler;
  readonly started: Promise<void>;
  readonly end: (end: JobEnd) => void;
  /** The jobs that were started; those after the first fail at once. */
  readonly runs: () => number;
  /** Records that both sides have it. */
  readonly agree: (placed: Entry) => void;
  /** Writes it here, and scans that. @returns what the scan found */
  readonly write: (content: string) => Promise<Entry>;
};

/** A reconciler with one file to deliver, and its job. */
async function withOneFile(t: TestContext, lane?: Lane): Promise<OneFile> {
  const place = new ApplyPlace(t);
  const owners = new Owners();
  const mainManifest = new MainManifest(owners, new Set());
  const replica = await replicaOf(t, place, owners);
  const scanned = async (): Promise<Entry | undefined> => {
    await replica.rescan();
    await replica.whenQuiet(2_000);
    return entryOf(replica.get('f'));
  };
  const write = async (content: string): Promise<Entry> => {
    writeFileSync(place.at('f'), content);
    utimesSync(place.at('f'), 1_700_000_000, 1_700_000_000);
    const entry = await scanned();
    assert.ok(entry);
    return entry;
  };
  const entry = await write('music');
  rmSync(place.at('f'));
  assert.equal(await scanned(), undefined);
  mainManifest.begin(null, null);
  mainManifest.page([{ path: 'f', shown: { kind: 'settled', entry } }]);
  mainManifest.end(1);
  const agreed = new AgreedState(new Ledger(place.db, 'files'), place.db, mainManifest, replica);
  const started = Promise.withResolvers<void>();
  const job = Promise.withResolvers<JobEnd>();
  let runs = 0;
  const run = (): Promise<JobEnd> => {
    runs += 1;
    started.resolve();
    return runs === 1 ? job.promise : Promise.resolve(FAILED);
  };
  const worker = new Reconciler({
    facts: factsOf(mainManifest, replica, agreed),
    runner: { run } as unknown as JobRunner,
    clock: systemClock,
    log: { warn: () => undefined } as unknown as Logger,
    lane,
    onNews: () => undefined,
  });
  worker.attach({ clockOffset: { nanoseconds: 0n, known: true } } as unknown as AgentSession, false);
  const agree = (placed: Entry): void => place.db.transaction(() => agreed.agree('f', placed));
  return { worker, started: started.promise, end: job.resolve, runs: () => runs, agree, write };
}

void test('a reconciler plans in its turn, and is in a hurry from the moment that something changed until its job has started', async (t) => {
  const lane = new HeldLane(t);
  const { worker, started, end } = await withOneFile(t, lane);
  let isStarted = false;
  const hasStarted = started.then(() => assert.deepEqual([(isStarted = true), lane.ended], [true, 0]));
  worker.begin();
  worker.mainChanged(['f']);
  assert.deepEqual([lane.hurries, lane.ended], [1, 0]);
  await lane.waits();
  assert.equal(isStarted, false);
  await lane.give();
  await hasStarted;
  end(FAILED);
  await lane.give();
  await worker.close();
  assert.deepEqual([lane.hurries, lane.ended], [2, 2]);
});

void test('a reconciler that is closed while a job runs waits for the job, and for nothing else', async (t) => {
  const { worker, started, end } = await withOneFile(t);
  worker.begin();
  await started;
  let isClosed = false;
  const idle = worker.whenIdle();
  const closed = worker.close().then(() => (isClosed = true));
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(isClosed, false, 'a change set in hand is finished');
  end(FAILED);
  await closed;
  await idle;
  assert.equal(worker.jobs, 0);
});

void test('what a job has placed is not planned again, and what another program did meanwhile is when the job ends', async (t) => {
  for (const content of ['music', 'of another program']) {
    const { worker, started, end, runs, agree, write } = await withOneFile(t);
    const plans = t.mock.method(worker, 'plan');
    worker.begin();
    await started;
    const placed = await write('music');
    agree(placed);
    if (content !== 'music') await write(content);
    worker.changedHere(['f']);
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(plans.mock.callCount(), 1);
    end({ results: new Map([['f', { result: 'done' }]]), refused: false });
    await worker.whenIdle();
    if (content === 'music')
      assert.deepEqual([runs(), plans.mock.callCount(), worker.isAtRest], [1, 1, true]);
    else assert.ok(runs() > 1 && worker.pending === 1, String(runs()));
    await worker.close();
  }
});

void test('a job that ends after its connection was lost counts no error against a file, even when there is a new one', async (t) => {
  const { worker, started, end, runs } = await withOneFile(t);
  worker.begin();
  await started;
  worker.detach();
  worker.attach({ clockOffset: { nanoseconds: 0n, known: true } } as unknown as AgentSession, false);
  end(FAILED);
  await worker.whenIdle();
  assert.equal(runs(), 2, 'it was tried again at once, and only that attempt failed');
  await worker.close();
});

void test('removals that wait are judged with new ones, and decided again only where something may have changed', async (t) => {
  const place = new ApplyPlace(t);
  mkdirSync(place.at('d'));
  for (const name of ['a', 'b', 'c', 'd/e']) writeFileSync(place.at(name), name);
  const owners = new Owners();
  const mainManifest = new MainManifest(owners, new Set());
  const replica = await replicaOf(t, place, owners);
  const agreed = new AgreedState(new Ledger(place.db, 'files'), place.db, mainManifest, replica);
  const all = [...replica.paths()];
  place.db.transaction(() => all.forEach((path) => agreed.agree(path, entryOf(replica.get(path)))));
  mainManifest.begin(null, null);
  mainManifest.page(
    all.flatMap((path) => {
      const entry = entryOf(replica.get(path));
      return entry === undefined ? [] : [{ path, shown: { kind: 'settled', entry } as const }];
    }),
  );
  mainManifest.end(1);
  const worker = new Reconciler({
    facts: factsOf(mainManifest, replica, agreed),
    runner: { run: () => assert.fail('it is paused') } as unknown as JobRunner,
    clock: systemClock,
    log: { error: (_event: string, { error }: { error: Error }) => assert.fail(error) } as unknown as Logger,
    onNews: () => undefined,
  });
  worker.attach({ clockOffset: { nanoseconds: 0n, known: true } } as unknown as AgentSession, true);
  worker.begin();
  await worker.whenIdle();
  const plans = t.mock.method(worker, 'plan');
  let revision = 1;
  const removeOnMain = async (...paths: string[]): Promise<unknown> => {
    const gone = paths.map((path) => ({ path, shown: { kind: 'gone' } as const }));
    mainManifest.change(revision, ++revision, null, gone);
    worker.mainChanged(paths);
    await worker.whenIdle();
    const [planned = [], standing = new Map<string, unknown>()] = plans.mock.calls.at(-1)?.arguments ?? [];
    return [[...planned].sort(), [...standing.keys()].sort(), worker.pending];
  };
  assert.deepEqual(await removeOnMain('a', 'd', 'd/e'), [['a', 'd', 'd/e'], [], 3]);
  assert.deepEqual(await removeOnMain('b'), [['b', 'd'], ['a', 'd/e'], 4]);
  // A job has recorded that it is gone, and has not ended yet.
  rmSync(place.at('a'));
  await replica.rescan();
  await replica.whenQuiet(2_000);
  place.db.transaction(() => agreed.agree('a', undefined));
  assert.deepEqual(await removeOnMain('c'), [['a', 'c', 'd'], ['b', 'd/e'], 4]);
  await worker.close();
});
