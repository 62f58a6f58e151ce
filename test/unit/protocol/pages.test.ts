import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_ITEMS, MAX_MESSAGE_BYTES, MAX_PAGE_BYTES } from '#protocol/limits.ts';
import { bytesInMessage, pagesOf, whatFits } from '#protocol/pages.ts';

const length = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

void test('what a value takes in a message is never estimated too low, and exact for plain names', () => {
  const values = [
    'plain.wav',
    'line\nbreak"quote\\',
    '\u0000'.repeat(50),
    'caf\udce9',
    'ü€😀\u2028',
    {
      path: 'a',
      shown: { kind: 'settled', entry: { size: Number.MAX_SAFE_INTEGER, mode: 0o7777, hash: 'x' } },
    },
    [null, true, false, -1.7976931348623157e308, []],
  ];
  for (const value of values) assert.ok(bytesInMessage(value) >= length(value), JSON.stringify(value));
  assert.equal(bytesInMessage('plain.wav'), length('plain.wav'));
});

void test('4,200 offers or items with names of 1,168 bytes, or the longest that there are, fit into their pages', () => {
  for (const [name, count] of [
    ['n'.repeat(1_168), 4_200],
    ['\u0001'.repeat(8_192), 200],
    ['\udcff'.repeat(4_096), 400],
  ] as const) {
    const items = Array.from({ length: count }, (_, i) => ({ path: `${name}${i}`, other: name }));
    const pages = [...pagesOf(items)];
    assert.deepEqual(
      pages.flat().map(({ path }) => path),
      items.map(({ path }) => path),
    );
    for (const page of pages) assert.ok(length(page) <= MAX_PAGE_BYTES || page.length === 1);
    assert.ok(pages.every((page) => length({ type: 'changes', items: page }) < MAX_MESSAGE_BYTES));
  }
});

void test('ordinary names are bounded by their number', () => {
  const pages = [...pagesOf(Array.from({ length: MAX_ITEMS + 1 }, (_, i) => `moh/default/file-${i}.wav`))];
  assert.deepEqual(
    pages.map((page) => page.length),
    [MAX_ITEMS, 1],
  );
  assert.deepEqual([...pagesOf([])], []);
});

void test('an item is read after the page before its own was taken, whether that was full by number or by bytes', () => {
  for (const [name, most] of [
    ['short', 3],
    ['n'.repeat(1024 * 1024 - 64), 100],
  ] as const) {
    let read = 0;
    const items = function* (): Iterable<string> {
      while (read < 7) yield `${name}${read++}`;
    };
    const pages: number[] = [];
    let inPages = 0;
    for (const page of pagesOf(items(), { most })) {
      pages.push(page.length);
      inPages += page.length;
      assert.equal(read, inPages);
      assert.ok(length(page) <= MAX_PAGE_BYTES);
    }
    assert.deepEqual(pages, [3, 3, 1]);
  }
});

void test('what fits is the first of it', () => {
  assert.deepEqual(whatFits(['aa', 'bb', 'cc'], 10, 10), ['aa', 'bb']);
  assert.deepEqual(whatFits(['aa', 'bb', 'cc'], 100, 1), ['aa']);
});
