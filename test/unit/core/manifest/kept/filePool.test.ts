import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { FileEntry } from '#core/manifest/entry.ts';
import { FilePool } from '#core/manifest/kept/filePool.ts';
import { collectNow } from '#host/memory/exposedCollector.ts';
import { collectedUntil } from '../../../../support/unit/collected.ts';
import { fileEntry } from '../../../../support/unit/applyPlace.ts';

/** Few of each, so that entries are equal, or differ in one property. */
const entries: fc.Arbitrary<FileEntry> = fc.record({
  type: fc.constant('file' as const),
  size: fc.constantFrom(0, 1, 2 ** 40),
  mtime: fc.constantFrom('0', '1700000000000000000', '1700000000000000001', '-1', '1600000000000000000'),
  mode: fc.constantFrom(0o644, 0o7777),
  owner: fc.constantFrom('root', 'asterisk'),
  group: fc.constantFrom('root', 'a "group"'),
  uid: fc.constantFrom(0, 0xffff_ffff),
  gid: fc.constantFrom(0, 108),
  hash: fc.constantFrom('a'.repeat(64), `${'a'.repeat(63)}b`, '0'.repeat(64)),
});

void test('a pool has each entry once, as long as a table keeps it', () => {
  const act = fc.record({ entry: entries, keeps: fc.boolean(), again: fc.boolean() });
  const acts = fc.array(act, { maxLength: 300 });
  fc.assert(
    fc.property(acts, (list) => {
      const pool = new FilePool();
      /** Numbers by entry, as often as it is kept. */
      const kept = new Map<string, number[]>();
      /** What the pool itself returned last, and may have released since. */
      let asked: FileEntry | undefined;
      for (const { entry: made, keeps, again } of list) {
        const entry = again ? (asked ?? made) : made;
        const key = JSON.stringify(entry);
        const numbers = kept.get(key) ?? [];
        const number = keeps ? pool.keep(entry) : numbers.pop();
        if (keeps) numbers.push(number ?? assert.fail('it was not kept'));
        else if (number !== undefined) pool.release(number);
        if (numbers.length > 0) kept.set(key, numbers);
        else kept.delete(key);
        assert.equal(pool.size, kept.size);
        const [last] = numbers;
        if (last !== undefined) asked = pool.at(last);
        for (const [text, [one, ...more]] of kept) {
          assert.ok(one !== undefined && more.every((other) => other === one), 'it is there twice');
          assert.deepEqual(pool.at(one), JSON.parse(text));
        }
      }
    }),
  );
});

void test('a pool grows, and uses the numbers of what it had again', () => {
  const pool = new FilePool();
  const many = Array.from({ length: 5_000 }, (_, i) => ({
    ...fileEntry(`${i % 100}`),
    mtime: String((i * i * 7_919) % 1_000_003),
  }));
  const numbers = many.map((entry) => pool.keep(entry) ?? assert.fail());
  for (const [i, number] of numbers.entries()) assert.deepEqual(pool.at(number), many[i]);
  for (const number of numbers.filter((_, i) => i % 2 === 0)) pool.release(number);
  assert.equal(pool.size, 2_500);
  // Those that are kept are found, though what stood before them in the table is gone.
  for (const [i, entry] of many.entries()) if (i % 2 === 1) assert.equal(pool.keep(entry), numbers[i]);
  const again = many.filter((_, i) => i % 2 === 0).map((entry) => pool.keep(entry) ?? assert.fail());
  assert.ok(Math.max(...again) < many.length);
  for (const [i, number] of again.entries()) assert.deepEqual(pool.at(number), many[2 * i]);
  assert.equal(pool.size, 5_000);
});

void test('files that differ in one property are different ones', () => {
  const pool = new FilePool();
  const base = fileEntry('a');
  const others = Array.from({ length: 4_096 }, (_, i) => [
    { mode: i },
    { size: i },
    { uid: i },
    { mtime: String(i) },
    { mtime: `${i + 1}000000000` },
  ]).flat();
  const entries = new Map(others.map((other) => [JSON.stringify({ ...base, ...other }), other]));
  const numbers = Array.from(entries, ([text, other]) => [pool.keep({ ...base, ...other }), text] as const);
  assert.equal(pool.size, entries.size);
  for (const [number, text] of numbers) assert.deepEqual(pool.at(number ?? assert.fail()), JSON.parse(text));
});

void test('a pool finds what may hold a content, whatever the files are called, and never an empty one', () => {
  const pool = new FilePool();
  const [a, b, empty] = ['a', 'b', ''].map((content) => pool.keep(fileEntry(content)) ?? assert.fail());
  const mayHold = pool.mayHold(new Set([fileEntry('a').hash, fileEntry('').hash]));
  assert.deepEqual(
    [a, b, empty].map((number) => mayHold(number ?? assert.fail())),
    [true, false, false],
  );
});

void test('what a pool can not hold exactly is left to the caller', () => {
  const pool = new FilePool();
  for (const other of [{ mtime: '9'.repeat(28) }, { hash: 'ab' }, { hash: 'x'.repeat(64) }])
    assert.equal(pool.keep({ ...fileEntry('a'), ...other }), undefined);
});

void test('a pool knows so many owners and no more, since a peer may make them up', () => {
  const pool = new FilePool();
  const numbers = Array.from({ length: 66_000 }, (_, i) => pool.keep({ ...fileEntry('a'), owner: `${i}` }));
  assert.equal(numbers.indexOf(undefined), 65_536);
  assert.equal(pool.at(numbers[65_535] ?? assert.fail()).owner, '65535');
  assert.equal(pool.keep({ ...fileEntry('a'), owner: '65535' }), numbers[65_535]);
});

void test('a pool refuses to release what is not kept', () => {
  const pool = new FilePool();
  const number = pool.keep(fileEntry('a')) ?? assert.fail();
  pool.release(number);
  assert.throws(() => pool.release(number), /row 0 is not in use/);
  assert.throws(() => pool.release(4_096), /there is no row 4096/);
});

void test('a pool releases what an object kept once that is collected', async () => {
  const pool = new FilePool();
  const number = pool.keep(fileEntry('a')) ?? assert.fail();
  let keeper: object | undefined = {};
  pool.releaseWith(keeper, () => [number]);
  collectNow({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([typeof keeper, pool.size], ['object', 1]);
  keeper = undefined;
  assert.ok(await collectedUntil(() => pool.size === 0));
});
