import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bucketOf } from '#core/manifest/buckets.ts';
import { ArrivingDifference } from '../../../../../agent/directory/manifest/arrivingDifference.ts';

const COUNT = 4;
const PATHS = Array.from({ length: 40 }, (_, i) => `file-${i}.wav`);
const inBuckets = (...buckets: readonly number[]): string[] =>
  PATHS.filter((path) => buckets.includes(bucketOf(path, COUNT)));

void test('what Main does not name of the buckets that differ is gone, and nothing else', () => {
  const difference = new ArrivingDifference(PATHS, COUNT, new Set([1, 3]));
  const here = inBuckets(1, 3);
  assert.ok(here.length > 2 && here.length < PATHS.length);
  for (const path of here.slice(2)) difference.named(path);
  // Named although its bucket is equal, or new.
  for (const path of [...inBuckets(0).slice(0, 1), 'new.wav']) difference.named(path);
  assert.deepEqual([...difference.gone], here.slice(0, 2));
});

void test('where no bucket differs nothing is gone', () => {
  assert.deepEqual([...new ArrivingDifference(PATHS, COUNT, new Set()).gone], []);
});
