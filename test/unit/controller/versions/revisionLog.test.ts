import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Entry } from '#core/manifest/entry.ts';
import { RevisionLog } from '../../../../controller/versions/revisionLog.ts';
import { ApplyPlace, fileEntry } from '../../../support/unit/applyPlace.ts';

/** Changes at the times 1, 2, 3 …, in this order. */
function logOf(
  t: TestContext,
  ...changes: readonly (readonly [
    path: string,
    before: Entry | null,
    after: Entry | null,
    directory?: string,
  ])[]
): RevisionLog {
  const log = new RevisionLog(new ApplyPlace(t).db);
  changes.forEach(([path, before, after, directory = 'files'], i) =>
    log.append(directory, path, before, after, i + 1),
  );
  return log;
}

const [A1, A2, A3] = [fileEntry('1'), fileEntry('2'), fileEntry('3')];

void test('a change is found by its path, its number, and its time', (t) => {
  const log = logOf(
    t,
    ['a', null, A1],
    ['b', null, A1],
    ['a', A1, A2],
    ['a', A2, null],
    ['a', null, A3, 'other'],
  );
  assert.deepEqual(log.newestOf('files', 'a'), { number: 4, after: null });
  assert.deepEqual(log.newestOf('other', 'a'), { number: 5, after: A3 });
  assert.equal(log.newestOf('files', 'never'), undefined);
  assert.deepEqual(log.get(3), { before: A1, after: A2 });
  assert.equal(log.get(9), undefined);
  assert.deepEqual(
    [1, 3, 4].map((number) => log.firstAfter('files', 'a', number)),
    [3, 4, undefined],
  );
  assert.deepEqual(
    [0, 1, 2, 3, 9].map((at) => log.lastUntil('files', 'a', at)),
    [undefined, 1, 1, 3, 4],
  );
  assert.deepEqual([log.newest, log.count], [5, 5]);
});

void test('what has changed since a number comes oldest first, what concerns a path newest first', (t) => {
  const log = logOf(
    t,
    ['d/a', null, A1],
    ['d', null, A1],
    ['d.x', null, A1],
    ['d/a', A1, A2],
    ['d', A1, null, 'other'],
  );
  assert.deepEqual(
    log.since('files', 2).map(({ number, path }) => [number, path]),
    [
      [2, 'd'],
      [3, 'd.x'],
      [4, 'd/a'],
    ],
  );
  assert.deepEqual(
    log.ofScope('files', 'd').map(({ number, path, at, before }) => [number, path, at, before]),
    [
      [4, 'd/a', 4, A1],
      [2, 'd', 2, null],
      [1, 'd/a', 1, null],
    ],
  );
  assert.equal(log.ofScope('files', '').length, 4);
});

void test('a name that is no text comes back as it was', (t) => {
  const name = 'latin1-\udce9.conf';
  const log = logOf(t, [name, null, A1]);
  assert.deepEqual(
    log.since('files', 1).map(({ path }) => path),
    [name],
  );
  assert.equal(log.newestOf('files', name)?.number, 1);
});

void test('only the oldest go, and a time between two changes keeps the later one', (t) => {
  const log = logOf(t, ['a', null, A1], ['b', null, A1], ['c', null, A1], ['d', null, A1]);
  assert.equal(log.dropBefore(1), 0);
  assert.equal(log.dropBefore(2), 1);
  assert.deepEqual(log.oldest, { number: 2, at: 2 });
  log.dropOldest(1);
  assert.deepEqual(log.oldest, { number: 3, at: 3 });
  log.append('files', 'e', null, A1, 1);
  // A clock that was set back: the order of the numbers counts.
  assert.equal(log.dropBefore(4), 1);
  assert.deepEqual(
    log.since('files', 0).map(({ path }) => path),
    ['d', 'e'],
  );
  assert.equal(log.dropBefore(100), 2);
  assert.equal(log.oldest, undefined);
  assert.equal(log.newest, 0);
});
