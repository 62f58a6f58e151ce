import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { PlannedAction } from '#protocol/messages/common.ts';
import type { Entry } from '#core/manifest/entry.ts';
import type { Decision } from '#core/plan/decision.ts';
import type { Lane } from '#host/process/turns.ts';
import type { Activation } from '../../../../../agent/asterisk/activation/activation.ts';
import type { Refusal } from '../../../../../agent/asterisk/reload/result.ts';
import type { Incoming } from '../../../../../agent/directory/jobs/download.ts';
import { type JobEnd, JobRunner } from '../../../../../agent/directory/jobs/jobRunner.ts';
import type { Outgoing } from '../../../../../agent/directory/jobs/upload.ts';
import { AgentPlace, MainPlayed } from '../../../../support/unit/agentPlace.ts';
import { eventually } from '../../../../support/harness/host.ts';
import { fileEntry } from '../../../../support/unit/applyPlace.ts';
import { HeldLane } from '../../../../support/unit/heldLane.ts';

/** Asterisk and lint, as the test says. */
class Asterisk {
  objections = new Map<string, string>();
  refusal: Refusal | undefined;
  readonly activated: string[][] = [];
  readonly judged: string[][] = [];
  onJudge: () => void = () => undefined;
  onActivate: () => void = () => undefined;

  get activation(): Activation {
    const verdict = (changed: ReadonlyMap<string, unknown>) => {
      this.judged.push([...changed.keys()]);
      this.onJudge();
      return Promise.resolve({ objections: this.objections, waiting: new Map(), changes: [] });
    };
    const activation = {
      isWhole: true,
      judge: verdict,
      rehearse: verdict,
      summary: () => Promise.resolve('context x gained 1'),
      activate: (paths: ReadonlySet<string>) => {
        this.activated.push([...paths]);
        this.onActivate();
        // It takes what was there before.
        return Promise.resolve(this.activated.length === 1 ? this.refusal : undefined);
      },
    };
    return activation as unknown as Activation;
  }
}

/** What can be done without waiting is done. */
async function turns(): Promise<void> {
  for (let i = 0; i < 20; i++) await turn();
}

class Jobs {
  readonly place: AgentPlace;
  readonly main: MainPlayed;
  readonly asterisk: Asterisk | undefined;
  readonly runner: JobRunner;
  readonly removed: string[] = [];
  readonly done: { changeSet: string; actions: readonly PlannedAction[] }[] = [];
  /** Whether each of these was part of the transaction that changed the ledger. */
  readonly together: boolean[] = [];

  constructor(t: TestContext, place: AgentPlace, asterisk?: Asterisk, lane?: Lane) {
    this.place = place;
    this.main = new MainPlayed(t);
    this.asterisk = asterisk;
    this.runner = new JobRunner({
      sync: place.sync,
      db: place.db,
      agreed: place.agreed,
      activation: asterisk?.activation,
      lane,
      log: place.place.log,
      onApplied: (removed) => this.removed.push(...removed.map((entry) => entry.type)),
      onDone: (changeSet, actions) => {
        this.together.push(place.db.inTransaction);
        this.done.push({ changeSet, actions });
      },
    });
  }

  download(items: Readonly<Record<string, Incoming>>, size: 'bulk' | 'large' = 'bulk'): Promise<JobEnd> {
    const job = { kind: 'download', size, items: new Map(Object.entries(items)) } as const;
    return this.runner.run(job, new Set(), this.main.session);
  }

  upload(items: Readonly<Record<string, Outgoing>>, size: 'bulk' | 'large' = 'bulk'): Promise<JobEnd> {
    const job = { kind: 'upload', size, items: new Map(Object.entries(items)) } as const;
    return this.runner.run(job, new Set(), this.main.session);
  }

  agree(entries: Readonly<Record<string, Entry>>): void {
    this.place.db.transaction(() => {
      for (const [path, entry] of Object.entries(entries)) this.place.agreed.agree(path, entry);
    });
  }

  get ledger(): Record<string, Entry> {
    return Object.fromEntries(this.place.agreed.ledger.entries);
  }

  /** The actions that were reported to Main. */
  get reported(): string[] {
    return this.main.sent.flatMap((message) =>
      message.type === 'applied' ? message.actions.map(({ action, path }) => `${action} ${path}`) : [],
    );
  }
}

const deliver = (entry: Entry, expect?: Entry): Incoming => ({
  kind: 'deliver',
  entry,
  expect,
  replacesSpecial: false,
  content: true,
  drift: false,
  reason: 'new on Main',
});

describe('A download', () => {
  it('is recorded: in the ledger, in the count of removals, in the history, and for Main', async (t) => {
    const jobs = new Jobs(t, await AgentPlace.make(t, { old: 'old', gone: 'gone' }));
    const { place, main } = jobs;
    const [old, gone] = [place.entry('old'), place.entry('gone')];
    jobs.agree({ old, gone });
    const before = place.db.sequence;
    const entry = main.has('old', 'newer');
    const { results, refused } = await jobs.download({
      old: deliver(entry, old),
      gone: { kind: 'remove', expect: gone, reason: 'removed on Main' },
    });
    assert.deepEqual(Object.fromEntries(results), { old: { result: 'done' }, gone: { result: 'done' } });
    assert.equal(refused, false);
    assert.equal(place.read('old'), 'newer');
    assert.deepEqual(jobs.ledger, { old: entry });
    assert.equal(place.db.sequence, before + 1);
    assert.deepEqual(jobs.removed, ['file']);
    assert.deepEqual(jobs.reported, ['send old', 'remove gone']);
    assert.deepEqual(
      jobs.done.map(({ actions }) => actions.length),
      [2],
    );
    assert.deepEqual(jobs.together, [true]);
  });

  it('is in a hurry until its set is visible and recorded, also when it fails', async (t) => {
    const lane = new HeldLane(t);
    const asterisk = new Asterisk();
    const jobs = new Jobs(t, await AgentPlace.make(t), asterisk, lane);
    const { main } = jobs;
    asterisk.onJudge = () => assert.deepEqual([lane.hurries, lane.ended], [1, 0]);
    asterisk.onActivate = () =>
      assert.deepEqual([lane.hurries, lane.ended, 'a.conf' in jobs.ledger], [1, 1, true]);
    await jobs.download({ 'a.conf': deliver(main.has('a.conf', 'made')) });
    assert.equal(asterisk.activated.length, 1);
    main.lost = new Error('ECONNRESET');
    await jobs.download({ 'b.conf': deliver(fileEntry('b')) });
    assert.deepEqual([lane.hurries, lane.ended], [2, 2]);
  });

  it('lets the content of two sets arrive at a time, and of the next while they are being made visible', async (t) => {
    const jobs = new Jobs(t, await AgentPlace.make(t));
    const { main, place } = jobs;
    const coming: string[] = [];
    const sent = Promise.withResolvers<void>();
    const isNextComing = Promise.withResolvers<void>();
    main.beforeSent = ([name = '']) => {
      coming.push(name);
      if (name === 'c') isNextComing.resolve();
      return sent.promise;
    };
    place.beforeShown = () => isNextComing.promise;
    const sets = ['a', 'b', 'c'].map((name) => jobs.download({ [name]: deliver(main.has(name, name)) }));
    const large = jobs.download({ large: deliver(main.has('large', 'large')) }, 'large');
    await turns();
    assert.deepEqual(coming.toSorted(), ['a', 'b', 'large'], 'a large file does not wait for a slot');
    sent.resolve();
    const ends = await Promise.all([...sets, large]);
    assert.equal(coming.at(-1), 'c');
    assert.deepEqual(
      ends.flatMap(({ results }) => [...results.values()]),
      Array.from(ends, () => ({ result: 'done' })),
    );
  });

  it('gives its place back when its content does not come', async (t) => {
    const jobs = new Jobs(t, await AgentPlace.make(t));
    jobs.main.lost = new Error('ECONNRESET');
    const sets = ['a', 'b', 'c', 'd', 'e'].map((name) => jobs.download({ [name]: deliver(fileEntry(name)) }));
    for (const { results } of await Promise.all(sets))
      assert.deepEqual([...results.values()], [{ result: 'failed', why: 'ECONNRESET' }]);
  });

  it('never fails itself: what went wrong belongs to each of its paths', async (t) => {
    const jobs = new Jobs(t, await AgentPlace.make(t));
    jobs.main.lost = new Error('ECONNRESET');
    const { results, refused } = await jobs.download({
      a: deliver(fileEntry('a')),
      b: deliver(fileEntry('b')),
    });
    assert.deepEqual(Object.fromEntries(results), {
      a: { result: 'failed', why: 'ECONNRESET' },
      b: { result: 'failed', why: 'ECONNRESET' },
    });
    assert.equal(refused, false);
    assert.deepEqual([jobs.ledger, jobs.reported], [{}, []]);
  });

  it('that lint refuses leaves everything as it is, and Asterisk alone', async (t) => {
    const asterisk = new Asterisk();
    const jobs = new Jobs(t, await AgentPlace.make(t, { 'a.conf': 'old' }), asterisk);
    const { place, main } = jobs;
    asterisk.objections.set('a.conf', 'line 3: no priority');
    const { results, refused } = await jobs.download({
      'a.conf': deliver(main.has('a.conf', 'broken'), place.entry('a.conf')),
      'b.conf': deliver(main.has('b.conf', 'fine')),
    });
    assert.equal(refused, true);
    assert.deepEqual(results.get('a.conf'), { result: 'failed', why: 'line 3: no priority' });
    assert.match(results.get('b.conf')?.why ?? '', /a\.conf \(line 3: no priority\)/);
    assert.deepEqual([place.read('a.conf'), place.read('b.conf')], ['old', undefined]);
    assert.deepEqual([asterisk.activated, jobs.reported, jobs.ledger], [[], [], {}]);
  });

  it('that Asterisk refuses is taken back as one set: files, ledger, and what Main learns', async (t) => {
    const asterisk = new Asterisk();
    const jobs = new Jobs(t, await AgentPlace.make(t, { 'a.conf': 'old', 'gone.conf': 'gone' }), asterisk);
    const { place, main } = jobs;
    const [a, gone] = [place.entry('a.conf'), place.entry('gone.conf')];
    jobs.agree({ 'a.conf': a, 'gone.conf': gone });
    asterisk.refusal = { file: 'a.conf', line: 3, message: 'no such application' };
    const { results, refused } = await jobs.download({
      'a.conf': deliver(main.has('a.conf', 'broken'), a),
      'b.conf': deliver(main.has('b.conf', 'new')),
      'gone.conf': { kind: 'remove', expect: gone, reason: 'removed on Main' },
    });
    assert.equal(refused, true);
    for (const path of ['a.conf', 'b.conf', 'gone.conf']) {
      assert.equal(results.get(path)?.result, 'failed');
      assert.match(results.get(path)?.why ?? '', /no such application/);
    }
    assert.deepEqual(
      ['a.conf', 'b.conf', 'gone.conf'].map((path) => place.read(path)),
      ['old', undefined, 'gone'],
    );
    assert.deepEqual(jobs.ledger, { 'a.conf': a, 'gone.conf': gone });
    assert.deepEqual(jobs.reported, [
      'send a.conf',
      'send b.conf',
      'remove gone.conf',
      'restore a.conf',
      'restore b.conf',
      'restore gone.conf',
    ]);
    assert.deepEqual(
      asterisk.activated,
      [['a.conf', 'b.conf', 'gone.conf'], []],
      'and Asterisk reads them again',
    );
    assert.deepEqual(place.log, ['a change set was taken back']);
    assert.deepEqual(jobs.together, [true, true]);
  });

  it('that changed nothing needs no reload', async (t) => {
    const asterisk = new Asterisk();
    const jobs = new Jobs(t, await AgentPlace.make(t, { 'a.conf': 'newer than the plan' }), asterisk);
    const item = deliver(jobs.main.has('a.conf', 'new'), fileEntry('as planned'));
    const { results } = await jobs.download({ 'a.conf': item });
    assert.equal(results.get('a.conf')?.result, 'stale');
    assert.deepEqual(asterisk.activated, []);
  });
});

describe('An upload', () => {
  const upload = (entry: Entry): Outgoing => ({
    kind: 'upload',
    entry,
    expect: undefined,
    content: true,
    conflict: false,
    reason: 'new here',
  });

  it('is in the ledger as far as Main took it', async (t) => {
    const jobs = new Jobs(t, await AgentPlace.make(t, { a: 'a', b: 'b' }));
    const { place, main } = jobs;
    const gone = fileEntry('gone');
    jobs.agree({ gone });
    main.result = ({ path }) => (path === 'b' ? { result: 'failed', detail: 'no room' } : { result: 'done' });
    const before = place.db.sequence;
    await jobs.upload({
      a: upload(place.entry('a')),
      b: upload(place.entry('b')),
      gone: { kind: 'remove-on-main', expect: gone, reason: 'removed here' },
    });
    assert.deepEqual(jobs.ledger, { a: place.entry('a') });
    assert.equal(place.db.sequence, before + 1);
    assert.deepEqual(
      jobs.done.map(({ changeSet, actions }) => [changeSet, actions.map(({ path }) => path)]),
      [['', ['a', 'gone']]],
    );
    assert.deepEqual(jobs.together, [true]);
  });

  it('is sent beside one other, and the next while Main makes them visible', async (t) => {
    const names = ['a', 'b', 'c', 'large'];
    const files = Object.fromEntries(names.map((name) => [name, name]));
    const jobs = new Jobs(t, await AgentPlace.make(t, files));
    const { main, place } = jobs;
    const offered = (): string[] => main.offered.flat().map((offer) => offer.path);
    const sent = Promise.withResolvers<void>();
    const isNextSent = Promise.withResolvers<void>();
    main.beforeEnd = () => {
      if (offered().includes('c')) isNextSent.resolve();
      return sent.promise;
    };
    main.beforeAnswer = () => isNextSent.promise;
    const ends = names.map((name) =>
      jobs.upload({ [name]: upload(place.entry(name)) }, name === 'large' ? 'large' : 'bulk'),
    );
    await eventually('a large file does not wait for a slot', () => offered().includes('large'));
    await turns();
    assert.deepEqual(offered().toSorted(), ['a', 'b', 'large']);
    sent.resolve();
    for (const { results } of await Promise.all(ends))
      assert.deepEqual([...results.values()], [{ result: 'done' }]);
    assert.equal(offered().at(-1), 'c');
  });

  it('gives its place back when the connection is lost while it is being sent', async (t) => {
    const jobs = new Jobs(t, await AgentPlace.make(t, { a: 'a' }));
    jobs.main.beforeEnd = () => Promise.reject(new Error('ECONNRESET'));
    for (let i = 0; i < 5; i++) {
      const { results } = await jobs.upload({ a: upload(jobs.place.entry('a')) });
      assert.deepEqual([...results.values()], [{ result: 'failed', why: 'ECONNRESET' }]);
    }
  });

  it('of the loser of a conflict comes first, and only then the winner replaces it here', async (t) => {
    const jobs = new Jobs(t, await AgentPlace.make(t, { a: 'the loser' }));
    const { place, main } = jobs;
    const loser = place.entry('a');
    const winner = fileEntry('the winner');
    const item: Outgoing = { kind: 'lose', loser, winner, reason: 'older' };
    // Main does not take the loser: then it stays here.
    main.result = () => ({ result: 'failed', detail: 'no room' });
    assert.equal((await jobs.upload({ a: item })).results.get('a')?.result, 'failed');
    assert.equal(place.read('a'), 'the loser');
    // Main takes it, but has not the winner at hand: the loser is not sent a second time.
    main.result = () => ({ result: 'done' });
    assert.notEqual((await jobs.upload({ a: item })).results.get('a')?.result, 'done');
    assert.equal(main.offered.length, 2);
    main.has('a', 'the winner');
    assert.equal((await jobs.upload({ a: item })).results.get('a')?.result, 'done');
    assert.equal(main.offered.length, 2);
    assert.equal(place.read('a'), 'the winner');
    assert.deepEqual(jobs.ledger, { a: winner });
    // Another conflict has another loser.
    place.write('a', 'edited again');
    await place.sync.readAgain();
    await jobs.upload({ a: { kind: 'lose', loser: place.entry('a'), winner, reason: 'older' } });
    assert.deepEqual(main.received.map(String), ['the loser', 'the loser', 'edited again']);
    assert.equal(place.read('a'), 'the winner');
  });

  it('of another loser is sent, too, where it was edited while the winner was missing', async (t) => {
    const jobs = new Jobs(t, await AgentPlace.make(t, { a: 'the loser' }));
    const { place, main } = jobs;
    const lose = (): Promise<unknown> =>
      jobs.upload({
        a: { kind: 'lose', loser: place.entry('a'), winner: fileEntry('the winner'), reason: 'older' },
      });
    main.result = () => ({ result: 'done' });
    await lose();
    place.write('a', 'edited meanwhile');
    await place.sync.readAgain();
    await lose();
    assert.deepEqual(main.received.map(String), ['the loser', 'edited meanwhile']);
  });
});

describe('The rehearsal of a change set', () => {
  const rehearse = (jobs: Jobs, items: Readonly<Record<string, Decision>>) =>
    jobs.runner.rehearse(new Map(Object.entries(items)), new Set(), jobs.main.session);

  it('finds what would prevent it, and changes nothing', async (t) => {
    const asterisk = new Asterisk();
    const jobs = new Jobs(t, await AgentPlace.make(t, { 'a.conf': 'old' }), asterisk);
    const { place, main } = jobs;
    asterisk.objections.set('a.conf', 'line 3: no priority');
    const { reasons } = await rehearse(jobs, {
      'a.conf': deliver(main.has('a.conf', 'broken'), place.entry('a.conf')),
      up: { kind: 'remove-on-main', expect: fileEntry('x'), reason: 'removed here' },
    });
    assert.deepEqual([...reasons], [['a.conf', 'line 3: no priority']]);
    assert.deepEqual(asterisk.judged, [['a.conf']]);
    assert.equal(place.read('a.conf'), 'old');
    assert.deepEqual([asterisk.activated, jobs.reported, jobs.done], [[], [], []]);
  });

  it('is none where Asterisk reads nothing', async (t) => {
    const jobs = new Jobs(t, await AgentPlace.make(t));
    jobs.main.lost = new Error('nothing was to be fetched');
    assert.deepEqual(await rehearse(jobs, { a: deliver(fileEntry('a')) }), {
      reasons: new Map(),
      changes: [],
    });
  });

  it('that fails itself is what the real one would do', async (t) => {
    const jobs = new Jobs(t, await AgentPlace.make(t), new Asterisk());
    jobs.main.lost = new Error('ENOSPC');
    const { reasons } = await rehearse(jobs, { a: deliver(fileEntry('a')) });
    assert.match(reasons.get('a') ?? '', /^ENOSPC/);
    assert.deepEqual(jobs.place.log, ['a change set could not be rehearsed']);
  });
});
