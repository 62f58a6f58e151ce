import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { it, type TestContext } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { createLogger } from '#host/log/logger.ts';
import type { Entry } from '#core/manifest/entry.ts';
import type { PathState } from '#core/manifest/pathState.ts';
import type { Replica } from '#sync/scan/replica.ts';
import { DirectoryVersions } from '../../../../controller/versions/directoryVersions.ts';
import type { FileToKeep } from '../../../../controller/versions/fileStore.ts';
import { Versions } from '../../../../controller/versions/versions.ts';
import { eventually } from '../../../support/harness/host.ts';
import { ApplyPlace } from '../../../support/unit/applyPlace.ts';
import { replicaOf } from '../../../support/unit/replicaOf.ts';
import { ManualClock } from '../../../support/wire/manualClock.ts';

type Case = {
  place: ApplyPlace;
  clock: ManualClock;
  replica: Replica;
  versions: Versions;
  directory: DirectoryVersions;
  /** Called before each copy. */
  onCopy: () => unknown;
  warnings: string[];
};

/** A directory of small files, and of large ones of 100 kB. */
async function given(t: TestContext, large = 0, small = ['a', 'b', 'folder/c']): Promise<Case> {
  const place = new ApplyPlace(t);
  for (const name of small) {
    mkdirSync(path.dirname(place.at(name)), { recursive: true });
    writeFileSync(place.at(name), name);
  }
  for (let each = 0; each < large; each++) writeFileSync(place.at(`large${each}`), `${each}`.repeat(100_000));
  const replica = await replicaOf(t, place);
  const { db } = place;
  const clock = new ManualClock();
  const warnings: string[] = [];
  const log = createLogger('warn', ({ event, details }) =>
    warnings.push(`${event} ${JSON.stringify(details)}`),
  );
  const places = new Map([['files', place.root]]);
  const budget = (): number => {
    each.onCopy();
    return 1024 ** 3;
  };
  const versions = new Versions({ db, compact: [], places, budget, reserve: 0 });
  const directory = new DirectoryVersions({ directory: 'files', replica, versions, db, clock, log });
  const each: Case = { place, clock, replica, versions, directory, onCopy: () => undefined, warnings };
  return each;
}

/** Nothing was there at the start, and the first scan finds one file. */
async function firstScan(t: TestContext): Promise<Case & { found: PathState; entry: Entry }> {
  const each = await given(t, 0, []);
  const { place, replica } = each;
  writeFileSync(place.at('a'), 'a');
  await replica.rescan();
  await replica.whenQuiet(2_000);
  const found = replica.get('a');
  assert.ok(found?.kind === 'settled');
  return { ...each, found, entry: found.entry };
}

function kept({ replica, versions }: Case): number {
  return [...replica.paths()].filter((path) => {
    const state = replica.get(path);
    return state?.kind === 'settled' && state.entry.type === 'file' && versions.files.has(state.entry.hash);
  }).length;
}

void it('a directory that closes while it waits for quiet keeps nothing more, and leaves no wait behind', async (t) => {
  const one = await given(t);
  const { clock, replica, directory } = one;
  directory.keep(replica.paths());
  await turn();
  assert.equal(clock.timers, 1);
  let isClosed = false;
  const closed = directory.close().then(() => (isClosed = true));
  for (let turns = 0; turns < 5; turns++) await turn();
  assert.ok(isClosed, 'it waits for a clock that stands still');
  await closed;
  directory.keep(replica.paths());
  assert.equal(clock.timers, 0);
  assert.equal(kept(one), 0);
});

void it('after a copy that took an hour, the next one is made within a minute', async (t) => {
  const each = await given(t);
  const { clock, replica, directory } = each;
  each.onCopy = () => clock.advance(3_600_000);
  directory.keep(replica.paths());
  await turn();
  clock.advance(1_501);
  await eventually('a copy is there', () => kept(each) === 1);
  await eventually('it rests', () => clock.timers === 1);
  assert.equal(clock.nextIn, 60_000);
  await directory.close();
});

void it('of a file that is removed before it is quiet, nothing stays scheduled', async (t) => {
  const each = await given(t);
  const { place, clock, replica, directory } = each;
  // The first is waited for.
  directory.keep(['a', 'b', 'folder/c']);
  await turn();
  rmSync(place.at('b'));
  await replica.rescan();
  await replica.whenQuiet(2_000);
  const lookedAt = t.mock.method(replica, 'stampAt').mock;
  directory.keep(['b']);
  clock.advance(3_001);
  await eventually('the others are kept', () => {
    clock.advance(1_000);
    return kept(each) === 2;
  });
  assert.ok(lookedAt.calls.every(({ arguments: [path] }) => path !== 'b'));
  await directory.close();
});

void it('after 50 ms of copies it rests three times as long', async (t) => {
  const each = await given(t);
  const { clock, replica, directory } = each;
  each.onCopy = () => clock.advance(30);
  directory.keep(replica.paths());
  await turn();
  clock.advance(1_500);
  await eventually('it rests', () => clock.timers === 1);
  assert.equal(kept(each), 2);
  assert.equal(clock.nextIn, 180);
  clock.advance(180);
  await eventually('the third is there', () => kept(each) === 3);
  await directory.close();
});

void it('a directory that closes while files are copied finishes one of them', async (t) => {
  const each = await given(t);
  const { clock, replica, directory } = each;
  const closed = Promise.withResolvers<void>();
  each.onCopy = () => directory.close().then(closed.resolve, closed.reject);
  directory.keep(replica.paths());
  await turn();
  clock.advance(1_500);
  await closed.promise;
  assert.deepEqual([kept(each), clock.timers], [1, 0]);
});

void it('a copy waits for deliveries, but no longer than a minute', async (t) => {
  const each = await given(t);
  const { clock, replica, directory } = each;
  directory.keep(replica.paths());
  await turn();
  for (let second = 1; second < 60; second++) {
    directory.delivering()[Symbol.dispose]();
    clock.advance(1_000);
    await turn();
    assert.equal(clock.timers, 1, `it works after ${second} s`);
  }
  assert.equal(kept(each), 0);
  directory.delivering()[Symbol.dispose]();
  clock.advance(1_000);
  await eventually('the copies are there', () => kept(each) === 3);
  await directory.close();
});

void it('while one delivery goes on, it is not quiet, however long ago that began', async (t) => {
  const each = await given(t);
  const { clock, replica, directory } = each;
  directory.keep(replica.paths());
  await turn();
  const [first, second] = [directory.delivering(), directory.delivering()];
  for (let wait = 0; wait < 10; wait++) {
    if (wait === 5) first[Symbol.dispose]();
    clock.advance(1_500);
    await turn();
    assert.equal(clock.timers, 1, `it works after ${wait} waits`);
  }
  assert.equal(kept(each), 0);
  second[Symbol.dispose]();
  clock.advance(1_499);
  await turn();
  assert.equal(kept(each), 0);
  clock.advance(1);
  await eventually('the copies are there', () => kept(each) === 3);
  await directory.close();
});

void it('a large file that is known only when it is quiet waits for as long as its size wants', async (t) => {
  for (const before of [[], ['folder']]) {
    const each = await given(t, 1);
    const { clock, replica, directory } = each;
    // A folder is not copied, so the file is the next even behind it.
    const get = t.mock.method(replica, 'get', () => ({ kind: 'moving' }) as const);
    directory.keep([...before, 'large0']);
    await turn();
    assert.equal(clock.nextIn, 1_500);
    get.mock.restore();
    clock.advance(1_500);
    await turn();
    assert.deepEqual([clock.nextIn, kept(each)], [6, 0]);
    clock.advance(6);
    await eventually('the copy is there', () => kept(each) === 1);
    await directory.close();
  }
});

void it('the minute begins again when there was nothing to copy', async (t) => {
  const each = await given(t);
  const { clock, directory } = each;
  each.onCopy = () => clock.advance(30_000);
  directory.keep(['a']);
  await turn();
  clock.advance(1_500);
  await eventually('it rests for a minute', () => clock.nextIn === 60_000);
  clock.advance(30_000);
  directory.keep(['b']);
  clock.advance(29_000);
  directory.delivering()[Symbol.dispose]();
  clock.advance(1_000);
  await eventually('it waits with the second, or has copied it', () => clock.timers === 1);
  assert.deepEqual([kept(each), clock.nextIn], [1, 500]);
  await directory.close();
});

void it('small files are copied together, a large one by itself and after more quiet', async (t) => {
  const each = await given(t, 1);
  const { clock, versions, directory } = each;
  const calls = t.mock.method(versions.files, 'keep');
  directory.keep(['a', 'b', 'large0', 'folder/c']);
  await turn();
  clock.advance(1_500);
  await eventually('it waits with the large one', () => {
    clock.advance(0);
    return clock.nextIn === 6;
  });
  assert.equal(kept(each), 2);
  clock.advance(6);
  await eventually('the copies are there', () => {
    clock.advance(0);
    return kept(each) === 4;
  });
  assert.deepEqual(
    calls.mock.calls.map(({ arguments: [, files] }) => files.map(({ path }) => path)),
    [['a', 'b'], ['large0'], ['folder/c']],
  );
  await directory.close();
});

void it('files that can not be copied are named, and too many in a row end it', async (t) => {
  const each = await given(t, 20);
  const { clock, replica, versions, directory, warnings } = each;
  const keep = t.mock.method(versions.files, 'keep', (_directory: string, files: readonly FileToKeep[]) =>
    Promise.resolve({
      looked: files.length,
      failed: files.slice(0, 1).map(({ path }) => ({ path, error: new Error('EIO') })),
    }),
  );
  directory.keep(['a', 'b', 'folder/c', ...[...replica.paths()].filter((path) => path.startsWith('large'))]);
  await turn();
  for (let waits = 0; waits < 100; waits++) {
    clock.advance(1_500);
    await turn();
  }
  // The first time, the other two small ones were copied.
  assert.equal(keep.mock.callCount(), 17);
  assert.match(warnings[0] ?? '', /^an older version can not be kept .*"a".*EIO/);
  assert.match(warnings.at(-1) ?? '', /^older versions can not be kept .*EIO/);
  assert.equal(warnings.length, 18);
  directory.delivering()[Symbol.dispose]();
  directory.keep(['a']);
  await turn();
  assert.deepEqual([keep.mock.callCount(), clock.nextIn], [17, 1_500], 'the next one waits like the first');
  await directory.close();
  assert.equal(clock.timers, 0);
});

void it('a file of the first scan that is removed and comes back later is a change each time', async (t) => {
  const { versions, directory, found, entry } = await firstScan(t);
  directory.note(new Map([['a', { before: undefined, after: found }]]), undefined);
  directory.scanned();
  assert.equal(versions.log.newestOf('files', 'a'), undefined);
  directory.note(new Map([['a', { before: entry, after: undefined }]]), undefined);
  assert.equal(versions.log.newestOf('files', 'a')?.after, null);
  directory.note(new Map([['a', { before: undefined, after: found }]]), undefined);
  assert.deepEqual(versions.log.newestOf('files', 'a')?.after, entry);
  await directory.close();
});

void it('a file of the first scan that is handed out or settles only after it is no change', async (t) => {
  for (const isMoving of [true, false]) {
    const { replica, versions, directory, found } = await firstScan(t);
    if (isMoving) t.mock.method(replica, 'get', () => ({ kind: 'moving' }) as const);
    else t.mock.getter(replica.index, 'haveChanges', () => true);
    directory.scanned();
    directory.note(new Map([['a', { before: undefined, after: found }]]), undefined);
    assert.equal(versions.log.newestOf('files', 'a'), undefined);
    await directory.close();
  }
});

void it('a directory that closes gives up the copy of a large file, and does not call that a failure', async (t) => {
  const each = await given(t, 0, []);
  const { place, clock, replica, directory, warnings } = each;
  writeFileSync(place.at('large'), Buffer.alloc(3 << 20));
  await replica.rescan();
  await replica.whenQuiet(2_000);
  const closed = Promise.withResolvers<void>();
  each.onCopy = () => directory.close().then(closed.resolve, closed.reject);
  directory.keep(replica.paths());
  await turn();
  clock.advance(60_000);
  await closed.promise;
  assert.deepEqual([kept(each), warnings], [0, []]);
});
