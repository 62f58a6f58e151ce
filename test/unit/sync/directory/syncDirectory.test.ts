import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { describe, type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { eventually } from '../../../support/harness/host.ts';
import { ApplyPlace, putFile } from '../../../support/unit/applyPlace.ts';
import { HeldLane } from '../../../support/unit/heldLane.ts';
import type { Step } from '#core/changeSet.ts';
import { Owners } from '#host/fs/owners.ts';
import { errnoOf } from '#host/fs/errno.ts';
import type { Logger } from '#host/log/logger.ts';
import type { Lane } from '#host/process/turns.ts';
import { systemClock } from '#host/time/clock.ts';
import type { DirectorySide } from '#sync/directory/directorySide.ts';
import { SyncDirectory } from '#sync/directory/syncDirectory.ts';
import { OwnPlacements } from '#sync/scan/ownPlacements.ts';
import { ScanIndexTable } from '#sync/state/scanIndex.ts';

/** More than are scanned before the first pause. */
const FILES = 3_000;

/** A directory whose side writes down how it is called. */
function place(t: TestContext) {
  const at = new ApplyPlace(t);
  const calls: string[] = [];
  let onCall: (call: string) => void = () => undefined;
  let work: () => Promise<void> = () => Promise.resolve();
  const call = (name: string): void => {
    calls.push(name);
    onCall(name);
  };
  const log = {
    warn: (message: string) => call(`warn: ${message}`),
    error: (message: string, { error }: { error?: unknown }) => call(`error: ${message} (${errnoOf(error)})`),
    info: () => undefined,
  } as unknown as Logger;
  const side: DirectorySide = {
    isExcluded: (path) => path.endsWith('.bak'),
    takeChanges: (changes) => call(`changes ${[...changes.keys()].toSorted().join(' ')}`),
    holdChanged: () => call('hold changed'),
    withLease: (show) => Promise.resolve(show()),
    recordRecovered: (_set, outcomes) => call(`recorded ${outcomes.map(({ step }) => step.path).join(' ')}`),
    recovered: () => call('recovered'),
    scanned: () => call('scanned'),
    endWork: async () => {
      await work();
      call('work ended');
    },
  };
  const open = (clock = systemClock, lane?: Lane): SyncDirectory => {
    const common = { nested: new Set<string>(), owners: new Owners(), clock, reserve: 0 };
    const rules = { name: 'files', settle: 0, emptyIsHeld: true, whole: false };
    const sync = new SyncDirectory({ ...common, path: at.root, db: at.db, lane, log }, rules, side);
    t.after(() => sync.close());
    return sync;
  };
  const nextCall = (name: string): Promise<void> =>
    new Promise((resolve) => {
      onCall = (each) => {
        if (each === name) resolve();
      };
    });
  const endWith = (last: () => Promise<void>): void => void (work = last);
  return { at, calls, open, nextCall, endWith };
}

void test('a directory is read, then reported as scanned, then watched; at the end, work stops before the replica does', async (t) => {
  const { at, calls, open, nextCall, endWith } = place(t);
  writeFileSync(at.at('a.conf'), 'a');
  writeFileSync(at.at('a.bak'), 'never seen');
  const sync = open();
  await sync.start();
  await sync.readAgain();
  assert.deepEqual(calls.slice(0, 2), ['changes a.conf', 'scanned']);
  assert.deepEqual([...sync.replica.paths()], ['a.conf']);

  const seen = nextCall('changes b.conf');
  writeFileSync(at.at('b.conf'), 'b');
  await seen;
  // The last job puts something there.
  endWith(async () => {
    writeFileSync(at.at('c.conf'), 'c');
    await sync.replica.recheck(['c.conf']);
  });
  await sync.close();
  assert.deepEqual(calls.slice(-2), ['changes c.conf', 'work ended']);
  endWith(() => Promise.resolve());
});

void test('a change set that was cut off is finished and recorded before the first scan', async (t) => {
  const { at, calls, open } = place(t);
  const first = open();
  // Journalled and staged, and then the power fails: nothing of it is visible.
  const staging = first.applier.begin(0);
  const step = putFile(staging, 'made', 'content');
  at.journal.begin({
    id: staging.id,
    directory: 'files',
    steps: [step],
  });

  const sync = open();
  await sync.start();
  assert.deepEqual(calls.slice(0, 3), [
    'recorded made',
    'recovered',
    'warn: finished a change set that was cut off',
  ]);
  assert.ok(calls.indexOf('scanned') > 2);
  await sync.replica.whenQuiet(5_000);
  assert.equal(sync.replica.get('made')?.kind, 'settled');
  await sync.close();
});

void test('a scan ends at once when the directory is closed, and counts as none', async (t) => {
  const { at, calls, open } = place(t);
  for (let i = 0; i < FILES; i++) writeFileSync(at.at(`${i}.wav`), String(i));
  const sync = open();
  const started = sync.start();
  await setImmediate();
  await sync.close();
  await started;
  assert.equal(calls.includes('scanned'), false);
  assert.ok(sync.replica.files < FILES, `${sync.replica.files} of ${FILES} files were scanned`);

  const next = open();
  await next.start();
  assert.ok(calls.includes('scanned'));
  await next.close();
});

void test('the trash is read when its oldest item is due, and not before', async (t) => {
  const { at, open } = place(t);
  let now = Date.now();
  const sync = open({ ...systemClock, now: () => now });
  const put = (set: string): string | undefined =>
    mkdirSync(at.at(`.xivo-xds-sync/trash/${set}`), { recursive: true });
  const left = (): string[] => readdirSync(at.at('.xivo-xds-sync/trash'));
  put('first');
  const made = statSync(at.at('.xivo-xds-sync/trash/first')).ctimeMs;
  now = made + 1_000;
  await sync.purge(60_000);
  put('second');
  now = made + 59_000;
  await sync.purge(60_000);
  assert.deepEqual(left().toSorted(), ['first', 'second']);
  now = made + 3_600_000;
  await sync.purge(60_000);
  assert.deepEqual(left(), []);
  put('third');
  now += 120_000;
  await sync.purge(60_000);
  assert.deepEqual(left(), [], 'what came after a purge is due in its turn');
});

void test('a large trash is purged in slices, once at a time, and no further when the directory ends', async (t) => {
  // Far more than one slice takes.
  const SETS = 3_000;
  const { at, calls, open } = place(t);
  const sync = open({ ...systemClock, now: () => Date.now() + 60_000 });
  const fill = (): void => {
    for (let i = 0; i < SETS; i++) mkdirSync(at.at(`.xivo-xds-sync/trash/${i}`), { recursive: true });
  };
  const left = (): number => readdirSync(at.at('.xivo-xds-sync/trash')).length;
  fill();
  assert.deepEqual(await Promise.all([sync.purge(0), sync.purge(0)]), [true, true]);
  assert.deepEqual([left(), calls], [0, []], 'no two of them removed the same');
  fill();
  const both = [sync.purge(0), sync.purge(0)];
  const first = left();
  assert.ok(first > 0, 'the event loop is let run');
  await sync.close();
  assert.deepEqual(await Promise.all(both), [false, false]);
  assert.equal(left(), first);
  assert.equal(await sync.purge(0), false);
});

void test('a missing directory is held, keeps its trash, and is found again', async (t) => {
  const { at, calls, open } = place(t);
  writeFileSync(at.at('a.conf'), 'a');
  const sync = open();
  await sync.start();
  await sync.readAgain();
  assert.equal(await sync.purge(0), true);

  renameSync(at.root, `${at.root}.away`);
  await sync.readAgain();
  assert.notEqual(sync.replica.held, undefined);
  assert.equal(await sync.purge(0), false);
  assert.ok(calls.includes('hold changed'));
  assert.deepEqual([...sync.replica.paths()], ['a.conf'], 'what was there is not taken for removed');

  rmSync(at.root, { recursive: true, force: true });
  renameSync(`${at.root}.away`, at.root);
  await sync.readAgain();
  assert.equal(sync.replica.held, undefined);
  await sync.close();
});

void test('what this program placed itself is entered under its new name, without being read', async (t) => {
  const { at, open } = place(t);
  mkdirSync(at.at('d'));
  writeFileSync(at.at('d/old'), 'same');
  const sync = open();
  // Not watched, so that nothing else enters it.
  await sync.readAgain();
  const state = sync.replica.get('d/old');
  assert.ok(state?.kind === 'settled' && state.entry.type === 'file');
  const step = { kind: 'move', path: 'new', from: 'd/old', entry: state.entry, reason: 'test' } as const;
  const expect = sync.replica.stampAt('d/old') ?? '';
  using staging = sync.applier.begin(0);
  const { outcomes } = await staging.commit([{ ...step, expect }], () => undefined);
  sync.adopt(outcomes);
  assert.equal(sync.replica.get('d/old'), undefined);
  assert.deepEqual(sync.replica.get('new'), state);
  await sync.close();
});

void test('names from which many files were moved are not looked at when the kernel reports that', async (t) => {
  const { at, open } = place(t);
  for (const folder of ['d', 'e']) mkdirSync(at.at(folder));
  const names = Array.from({ length: 64 }, (_, i) => `${i}`);
  for (const name of names) writeFileSync(at.at(`d/${name}`), name);
  const sync = open();
  await sync.start();
  await sync.readAgain();
  const asked = t.mock.method(OwnPlacements.prototype, 'isRename');
  const steps = names.map((name): Step => {
    const state = sync.replica.get(`d/${name}`);
    assert.ok(state?.kind === 'settled' && state.entry.type === 'file');
    const expect = sync.replica.stampAt(`d/${name}`) ?? '';
    return { kind: 'move', path: `e/${name}`, from: `d/${name}`, entry: state.entry, expect, reason: 'test' };
  });
  using staging = sync.applier.begin(0);
  await staging.commit(steps, () => undefined);
  await eventually('all was reported', () => asked.mock.callCount() >= 2 * names.length);
  assert.deepEqual(
    asked.mock.calls.filter(({ result }) => result !== true).map(({ arguments: [path] }) => path),
    [],
  );
});

void describe('What another program did while a change set was made durable stays known', () => {
  const kinds = ['put', 'put where nothing was', 'metadata', 'remove'] as const;
  for (const kind of kinds)
    for (const isRemoved of [false, true])
      void test(`${kind}, and the file was ${isRemoved ? 'removed' : 'written'} then`, async (t) => {
        const { at, open } = place(t);
        const isNew = kind === 'put where nothing was';
        const known = isNew ? 'other' : 'file';
        if (!isNew) writeFileSync(at.at('file'), 'as it was');
        writeFileSync(at.at('other'), 'so that the directory is not empty');
        const sync = open();
        // Not watched, so that only the two scans below see anything.
        await sync.readAgain();
        const expect = sync.replica.stampAt(known) ?? '';
        const state = sync.replica.get(known);
        assert.ok(state?.kind === 'settled' && state.entry.type === 'file');
        using staging = sync.applier.begin(0);
        const put = putFile(staging, 'file', 'from Main', isNew ? undefined : expect);
        const common = { path: 'file', expect, reason: 'test' };
        const step: Step =
          kind === 'remove'
            ? { kind, entry: state.entry, ...common }
            : kind === 'metadata'
              ? { kind, entry: { ...state.entry, mode: 0o600 }, ...common }
              : put;
        const { outcomes } = await staging.commit([step], () => undefined);
        assert.deepEqual(
          outcomes.map(({ result }) => result),
          ['done'],
        );

        rmSync(at.at('file'), { force: true });
        if (!isRemoved) writeFileSync(at.at('file'), 'newer than both');
        await sync.replica.recheck(['file']);
        sync.adopt(outcomes);
        await sync.replica.whenQuiet(5_000);

        const now = sync.replica.get('file');
        if (isRemoved) assert.equal(now, undefined);
        else assert.equal(now?.kind === 'settled' && now.entry.type === 'file' && now.entry.size, 15);
        await sync.close();
      });
});

void test('what was placed is known at once, and is entered in the scan index in a turn of its own', async (t) => {
  const lane = new HeldLane(t);
  const { at, calls, open } = place(t);
  const sync = open(systemClock, lane);
  // Nothing watches it: a scan of what was reported would save the index, too, with its own.
  await sync.rescan();
  const saved = (): string[] => Array.from(new ScanIndexTable(at.db, 'files').load(), ({ path }) => path);
  const outcomes = at.apply((staging) => [putFile(staging, 'made', 'content')]);
  sync.adopt(await outcomes);
  assert.equal(sync.replica.get('made')?.kind, 'settled');
  assert.deepEqual(calls.slice(-1), ['changes made']);
  await lane.waits();
  assert.deepEqual(saved(), []);
  await lane.give();
  await sync.replica.whenQuiet(0);
  assert.deepEqual(saved(), ['made']);
});

void test('what was placed just before the end is in the scan index afterwards', async (t) => {
  const lane = new HeldLane(t);
  const { at, open } = place(t);
  const sync = open(systemClock, lane);
  await sync.start();
  sync.adopt(await at.apply((staging) => [putFile(staging, 'made', 'content')]));
  const closed = sync.close();
  await lane.give();
  await closed;
  assert.deepEqual(
    Array.from(new ScanIndexTable(at.db, 'files').load(), ({ path }) => path),
    ['made'],
  );
});
