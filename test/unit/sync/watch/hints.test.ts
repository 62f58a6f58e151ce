import assert from 'node:assert/strict';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { Replica } from '#sync/scan/replica.ts';
import { systemClock } from '#host/time/clock.ts';
import { FolderWatches, type WatchListener } from '#sync/watch/folderWatches.ts';
import { Watch } from '#sync/watch/watch.ts';
import { ManualClock } from '../../../support/wire/manualClock.ts';
import { WatchedPlace } from '../../../support/unit/watchedPlace.ts';

async function watched(t: TestContext): Promise<WatchedPlace> {
  const at = new WatchedPlace(t);
  const watch = new Watch(at.replica, {
    clock: systemClock,
    onPolling: (error) => assert.fail(String(error)),
    onError: (error) => assert.fail(String(error)),
  });
  t.after(() => watch.close());
  watch.begin();
  await at.replica.rescan();
  watch.start();
  return at;
}

void test('what happens before the first scan is complete is looked at after it', async (t) => {
  const at = new WatchedPlace(t);
  const watch = new Watch(at.replica, {
    clock: systemClock,
    onPolling: () => undefined,
    onError: () => undefined,
  });
  t.after(() => watch.close());
  watch.begin();
  await at.replica.rescan();
  const before = FolderWatches.events;
  writeFileSync(at.at('early'), 'early');
  while (FolderWatches.events < before + 2) await setImmediate();
  watch.start();
  await at.untilKnown('early');
});

void test('folders are followed as they come, are renamed, go, and come again', async (t) => {
  const at = await watched(t);
  mkdirSync(at.at('a/b/c'), { recursive: true });
  writeFileSync(at.at('a/b/c/1'), '1');
  await at.untilKnown('a', 'a/b', 'a/b/c', 'a/b/c/1');
  renameSync(at.at('a/b'), at.at('d'));
  await at.untilKnown('a', 'd', 'd/c', 'd/c/1');
  writeFileSync(at.at('d/c/2'), '2');
  await at.untilKnown('a', 'd', 'd/c', 'd/c/1', 'd/c/2');
  rmSync(at.at('d'), { recursive: true });
  mkdirSync(at.at('d/c'), { recursive: true });
  await at.untilKnown('a', 'd', 'd/c');
  writeFileSync(at.at('d/c/3'), '3');
  await at.untilKnown('a', 'd', 'd/c', 'd/c/3');
});

/** A watch of a directory in which each folder has this many names. It says what it has scanned. */
function pretended(t: TestContext, names: number | (() => number)) {
  const scanned: string[] = [];
  const note = (what: string) => (paths: readonly string[]) => {
    scanned.push(...paths.map((path) => `${what} ${path}`));
    return Promise.resolve();
  };
  let listener: WatchListener | undefined;
  const folders = new FolderWatches();
  folders.open = (given) => void (listener = given);
  const replica = {
    path: '/nowhere',
    held: undefined,
    watches: folders,
    childrenOf: () => ({ size: typeof names === 'number' ? names : names() }),
    recheck: note('name'),
    rescanFolders: note('folder'),
    rescan: () => note('everything')(['']),
    own: { isRename: (path: string) => path.includes('own') },
  } as unknown as Replica;
  const clock = new ManualClock();
  const watch = new Watch(replica, { clock, onPolling: () => undefined, onError: () => undefined });
  t.after(() => watch.close());
  watch.begin();
  watch.start();
  const event = (folder: string, name: string, isRename = false): void =>
    listener?.onEvent(folder, name, isRename);
  /** Time passes, and what is due is done. */
  const pass = async (milliseconds: number): Promise<string[]> => {
    for (let rest = milliseconds; rest > 0;) {
      const step = Math.min(rest, clock.nextIn ?? rest);
      clock.advance(step);
      rest -= step;
      await setImmediate();
    }
    return scanned.splice(0);
  };
  return { event, pass };
}

void test('a folder with events is scanned as a whole a little later', async (t) => {
  const { event, pass } = pretended(t, 100);
  event('calls', 'new.wav');
  assert.deepEqual(await pass(10), ['name calls/new.wav']);
  assert.deepEqual(await pass(1_900), []);
  assert.deepEqual(await pass(100), ['folder calls']);
});

void test('what this program has placed is not looked at, but the folder is later', async (t) => {
  const { event, pass } = pretended(t, 100);
  for (let i = 0; i < 5_000; i++) event('calls', `own${i}.wav`, true);
  assert.deepEqual(await pass(1_900), []);
  assert.deepEqual(await pass(200), ['folder calls']);
  event('calls', 'own.wav');
  assert.deepEqual(await pass(10), ['name calls/own.wav'], 'it was changed, not renamed');
});

void test('a large folder, to which files are added all the time, is so more seldom', async (t) => {
  const { event, pass } = pretended(t, 100_000);
  let wholes = 0;
  for (let second = 0; second < 1_000; second++) {
    event('calls', `${second}.wav`);
    const scanned = await pass(1_000);
    assert.ok(scanned.includes(`name calls/${second}.wav`), 'the new file is looked at at once');
    wholes += scanned.filter((what) => what === 'folder calls').length;
  }
  assert.ok(wholes >= 4 && wholes <= 5, `scanned as a whole ${wholes} times in 1,000 s`);
});

void test('a folder that becomes a large one is scanned like one', async (t) => {
  let names = 0;
  const { event, pass } = pretended(t, () => names);
  event('calls', 'first.wav');
  names = 5_000;
  assert.deepEqual(await pass(9_000), ['name calls/first.wav']);
  assert.deepEqual(await pass(2_000), ['folder calls']);
});

void test('many events in a large folder cause looks at those names, not at all', async (t) => {
  const { event, pass } = pretended(t, 100_000);
  for (let i = 0; i < 500; i++) event('calls', `${i}.wav`);
  assert.equal((await pass(100)).filter((what) => what.startsWith('name calls/')).length, 500);
});

void test('events for most names of a folder cause one look at the folder', async (t) => {
  const { event, pass } = pretended(t, 100);
  for (let i = 0; i < 80; i++) event('calls', `${i}.wav`);
  assert.deepEqual(await pass(100), ['folder calls']);
});

/** A busy event loop is known by the beat that comes late. */
function withBeats(t: TestContext) {
  let now = 0;
  t.mock.method(performance, 'now', () => now);
  t.mock.timers.enable({ apis: ['setInterval'] });
  const { pass } = pretended(t, 100);
  /** One beat, so many milliseconds after the last, with events from the kernel in between. @returns what is scanned by then */
  return async (milliseconds: number, events: number): Promise<string[]> => {
    now += milliseconds;
    FolderWatches.events += events;
    t.mock.timers.tick(200);
    return pass(20);
  };
}

void test('a flood of events around a time in which none could be fetched has everything scanned', async (t) => {
  const beat = withBeats(t);
  assert.deepEqual(await beat(200, 3_000), [], 'a flood that was fetched in time');
  await beat(200, 0);
  assert.deepEqual(await beat(200, 0), []);
  assert.deepEqual(await beat(700, 999), [], 'too few for an overflow');
  assert.deepEqual(await beat(200, 0), []);
  assert.deepEqual(await beat(700, 1_000), ['everything ']);
});

void test('it may come in the beat after that time, or in the one before its end was noticed', async (t) => {
  const beat = withBeats(t);
  await beat(700, 0);
  assert.deepEqual(await beat(200, 1_000), ['everything ']);
  for (let i = 0; i < 3; i++) await beat(200, 0);
  await beat(200, 1_000);
  assert.deepEqual(await beat(700, 0), ['everything ']);
});
