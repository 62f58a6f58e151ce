import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OwnPlacements } from '#sync/scan/ownPlacements.ts';

test('what was placed is no news for a full scan that begins before it is adopted, and is one at the next', () => {
  const own = new OwnPlacements(
    () => undefined,
    () => true,
  );
  own.add([['a', 'stamp', true]]);
  own.scanBegins();
  assert.ok(own.has('a', 'stamp'));
  own.add([['b', 'stamp', true]]);
  own.scanBegins();
  assert.ok(!own.has('a', 'stamp'));
  assert.ok(own.has('b', 'stamp'));
  // Placed again meanwhile: that is new.
  own.add([['b', 'later', true]]);
  own.scanBegins();
  assert.ok(own.has('b', 'later'));
  own.adopted('b');
  assert.ok(!own.has('b', 'later'));
});

test('the first rename of each of many objects that were placed is no news, as long as it is not adopted', () => {
  const lost: string[] = [];
  const own = new OwnPlacements(
    (paths) => lost.push(...paths),
    (folder) => folder !== 'unwatched',
  );
  const many = (folder: string, isArrival: boolean, stamp = 'stamp') =>
    Array.from({ length: 64 }, (_, i) => [`${folder}/${i}`, stamp, isArrival] as const);
  own.add([
    ...many('a', true),
    ...many('unwatched', true),
    ...many('exchanged', false),
    ...many('b', true, ''),
  ]);
  assert.ok(own.isRename('a/0'));
  assert.ok(!own.isRename('a/0'), 'the second rename is of another program');
  for (const path of ['a', 'unwatched/0', 'exchanged/0', 'b/0']) assert.ok(!own.isRename(path), path);
  own.adopted('a/1');
  own.lost(['a/2']);
  for (const path of ['a/1', 'a/2']) assert.ok(!own.isRename(path), path);
  assert.deepEqual(lost, ['a/2']);
  own.scanBegins();
  own.scanBegins();
  assert.ok(!own.isRename('a/3'));
  own.add(many('a', true).slice(1));
  assert.ok(!own.isRename('a/4'), 'they are few');
});

test('the first rename away from each of many names is no news either', () => {
  const own = new OwnPlacements(
    () => undefined,
    (folder) => folder !== 'unwatched',
  );
  const many = (folder: string) => Array.from({ length: 64 }, (_, i) => `${folder}/${i}`);
  own.add([], [...many('a'), ...many('unwatched')]);
  assert.ok(own.isRename('a/0'));
  for (const path of ['a/0', 'unwatched/0']) assert.ok(!own.isRename(path), path);
  own.adopted('a/1');
  own.lost(['a/2']);
  for (const path of ['a/1', 'a/2']) assert.ok(!own.isRename(path), path);
  own.scanBegins();
  assert.ok(own.isRename('a/3'));
  own.add([], many('b'));
  own.scanBegins();
  own.add([], many('b'));
  own.scanBegins();
  assert.ok(own.isRename('b/0'), 'it was renamed again since the scan began');
  assert.ok(!own.isRename('a/4'), 'a report that never came is not waited for');
  own.add([], many('a').slice(1));
  assert.ok(!own.isRename('a/5'), 'they are few');
});

test('what is gone again when it is adopted is known, once; what was placed since is there', () => {
  const own = new OwnPlacements(
    () => undefined,
    () => true,
  );
  own.vanished('a');
  own.add([['a', 'stamp', true]]);
  assert.equal(own.adopted('a'), false, 'it was gone before');
  own.add([['a', 'stamp', true]]);
  own.vanished('a');
  own.scanBegins();
  own.scanBegins();
  assert.equal(own.adopted('a'), true);
  assert.equal(own.adopted('a'), false);
  own.add([['a', 'stamp', true]]);
  own.vanished('a');
  own.add([['a', 'later', true]]);
  assert.equal(own.adopted('a'), false);
});
