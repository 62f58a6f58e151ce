import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChunkListTable } from '#sync/state/chunkListTable.ts';
import { Database } from '#sync/state/database.ts';
import { ApplyPlace } from '../../../support/unit/applyPlace.ts';

const list = (chunks: number) => ({
  usual: 65_536,
  digests: 'sixteenofbase64='.repeat(chunks),
  lengths: Uint32Array.from({ length: chunks }, (_, number) => 100_000 + number),
  checks: Uint32Array.from({ length: chunks }, (_, number) => 2 ** 32 - 1 - number),
});

void test('a list is the same after a start, for its directory alone', (t) => {
  const place = new ApplyPlace(t);
  new ChunkListTable(place.db, 'sounds').add('one', list(3));
  const { checks: _, ...unchecked } = list(5);
  new ChunkListTable(place.db, 'sounds').add('two', unchecked);
  const db = new Database(place.db.file);
  t.after(() => db.close());
  const after = new ChunkListTable(db, 'sounds');
  assert.deepEqual(after.get('one'), list(3));
  assert.deepEqual(after.get('two'), unchecked);
  assert.equal(after.get('three'), undefined);
  assert.equal(new ChunkListTable(db, 'moh').get('one'), undefined);
});

void test('the oldest lists make room for new ones', (t) => {
  const { db } = new ApplyPlace(t);
  const table = new ChunkListTable(db, 'sounds', 24 * 100);
  const other = new ChunkListTable(db, 'moh', 24 * 100);
  other.add('one', list(60));
  for (const hash of ['one', 'two', 'three']) table.add(hash, list(40));
  assert.equal(table.get('one'), undefined);
  assert.ok(table.get('two') && table.get('three') && other.get('one'));
  table.add('two', list(40));
  table.add('four', list(40));
  assert.equal(table.get('three'), undefined, 'the one that was added last before');
  assert.ok(table.get('two') && table.get('four'));
});

void test('which lists are the oldest is known after a start, too', (t) => {
  const { db } = new ApplyPlace(t);
  const filled = new ChunkListTable(db, 'sounds', 24 * 100);
  filled.add('two', list(40));
  filled.add('one', list(40));
  filled.add('two', list(40));
  new ChunkListTable(db, 'moh').add('other', list(90));
  const table = new ChunkListTable(db, 'sounds', 24 * 100);
  table.add('three', list(40));
  assert.equal(table.get('one'), undefined);
  assert.ok(table.get('two') && table.get('three'));
  assert.ok(new ChunkListTable(db, 'moh').get('other'));
});

void test('a state that can not be read or written costs the lists, nothing else', (t) => {
  const { db } = new ApplyPlace(t);
  const table = new ChunkListTable(db, 'sounds');
  db.close();
  table.add('one', list(1));
  assert.equal(table.get('one'), undefined);
});

void test('what a full disk did not take is no reason to drop another list', (t) => {
  const { db } = new ApplyPlace(t);
  const table = new ChunkListTable(db, 'sounds', 24 * 2_000);
  table.add('one', list(800));
  table.add('two', list(800));
  db.prepare('PRAGMA max_page_count = 1').get();
  table.add('three', list(800));
  assert.equal(table.get('three'), undefined);
  db.prepare('PRAGMA max_page_count = 10000').get();
  table.add('four', list(800));
  assert.ok(table.get('two') && table.get('four'));
  assert.equal(table.get('one'), undefined);
});

for (const [what, change] of [
  ['a digest too few', 'digests = substr(digests, 17)'],
  ['a length too many', 'lengths = zeroblob(16)'],
  ['half a length', 'lengths = substr(lengths, 3)'],
] as const) {
  void test(`a list with ${what} is unknown`, (t) => {
    const { db } = new ApplyPlace(t);
    const table = new ChunkListTable(db, 'sounds');
    table.add('one', list(3));
    db.prepare(`UPDATE chunk_lists SET ${change}`).run();
    assert.equal(table.get('one'), undefined);
  });
}

void test('a list with a checksum too few is one without them', (t) => {
  const { db } = new ApplyPlace(t);
  const table = new ChunkListTable(db, 'sounds');
  table.add('one', list(3));
  db.prepare('UPDATE chunk_lists SET checks = substr(checks, 5)').run();
  const { checks: _, ...unchecked } = list(3);
  assert.deepEqual(table.get('one'), unchecked);
});
