import assert from 'node:assert/strict';
import { openSync, closeSync } from 'node:fs';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { MAX_BLOCKS } from '#protocol/limits.ts';
import { blockLength, differingSpans, hashBlocks, parseSpans, spansText } from '#sync/transfer/blocks.ts';

const has = (...hashes: string[]): { block: number; hashes: string[] } => ({ block: 10, hashes });

void test('only blocks that differ are sent, neighbours in one piece', () => {
  assert.deepEqual(differingSpans(['a', 'b', 'c', 'd'], 35, has('a', 'x', 'y', 'd')), [
    { start: 10, end: 30 },
  ]);
  assert.deepEqual(differingSpans(['a', 'b', 'c'], 30, has('a', 'b', 'c', 'd')), []);
});

void test('what was appended is sent, to its last byte', () => {
  assert.deepEqual(differingSpans(['a', 'b', 'c'], 23, has('a', 'b')), [{ start: 20, end: 23 }]);
});

void test('spans arrive as they were sent', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(1000), { maxLength: 60 }), (cuts) => {
      const sorted = cuts.toSorted((a, b) => a - b);
      const spans = [];
      for (let i = 0; i + 1 < sorted.length; i += 2)
        spans.push({ start: sorted[i] ?? 0, end: sorted[i + 1] ?? 0 });
      assert.deepEqual(parseSpans(spansText(spans), 1000), spans);
    }),
  );
});

void test('invalid spans are refused', () => {
  for (const text of ['', '5-5', '7-3', '0-11', '3-6,5-8', '4-6,0-2', '-1-2', '1-2,', '0x1-2', 'none,1-2'])
    assert.equal(parseSpans(text, 10), undefined, text);
  const many = Array.from({ length: MAX_BLOCKS + 1 }, (_, i) => `${2 * i}-${2 * i + 1}`).join(',');
  assert.equal(parseSpans(many, 1_000_000), undefined);
});

void test('no file has more blocks than a message may name', () => {
  for (const size of [0, 1, 8 * 2 ** 20, 2 ** 30, 2 ** 43]) assert.ok(size / blockLength(size) <= MAX_BLOCKS);
});

void test('a file is not hashed any more once that is ended', async () => {
  const fd = openSync(import.meta.filename, 'r');
  try {
    assert.equal((await hashBlocks(fd, 100, 10, new AbortController().signal)).length, 10);
    await assert.rejects(hashBlocks(fd, 100, 10, AbortSignal.abort(new Error('ended'))), /ended/);
  } finally {
    closeSync(fd);
  }
});
