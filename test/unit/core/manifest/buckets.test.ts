import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_BUCKETS } from '#protocol/limits.ts';
import { BucketDigests, bucketOf, bucketsFor } from '#core/manifest/buckets.ts';
import { digestOfPath } from '#core/manifest/digest.ts';

const paths = Array.from({ length: 5_000 }, (_, number) => `folder ${number % 7}/file ${number}.wav`);

function digestsOf(of: readonly string[]): BucketDigests {
  const digests = new BucketDigests();
  for (const path of of) digests.toggle(path, digestOfPath(path, 'content'));
  return digests;
}

void test('a table is compared in about one part for every 32 paths, a power of two', () => {
  for (const [size, count] of [
    [0, 1],
    [32, 1],
    [33, 2],
    [64, 2],
    [65, 4],
    [100_000, MAX_BUCKETS],
    [10_000_000, MAX_BUCKETS],
  ] as const)
    assert.equal(bucketsFor(size), count, String(size));
});

// Two versions compare their buckets: which path is in which may not change.
void test('a path is in the same part on every host, and small parts make up a large one', () => {
  assert.deepEqual(
    ['', 'a', 'en/olá.wav', 'caf\udce9'].map((path) => bucketOf(path, 2048)),
    [2044, 308, 2029, 1381],
  );
  for (const path of paths)
    for (const count of [1, 2, 64])
      assert.equal(bucketOf(path, count), bucketOf(path, MAX_BUCKETS) & (count - 1));
  const used = new Set(paths.map((path) => bucketOf(path, 256)));
  assert.equal(used.size, 256);
});

void test('the parts that differ are found, in as many parts as the other side has', () => {
  const ours = digestsOf(paths);
  for (const count of [1, 2, 256, MAX_BUCKETS]) {
    const changed = new BucketDigests();
    for (const path of paths)
      changed.toggle(path, digestOfPath(path, path === paths[42] ? 'other' : 'content'));
    assert.deepEqual(ours.differing(changed.text(count)), {
      count,
      buckets: new Set([bucketOf(paths[42] ?? '', count)]),
    });
    assert.deepEqual(ours.differing(digestsOf(paths.toReversed()).text(count)), {
      count,
      buckets: new Set(),
    });
  }
  assert.notEqual(ours.whole, digestsOf(paths.slice(1)).whole);
  const back = digestsOf([...paths, 'more']);
  back.toggle('more', digestOfPath('more', 'content'));
  assert.equal(back.whole, ours.whole);
});

void test('what is no list of digests is not compared', () => {
  const ours = digestsOf(paths);
  const text = ours.text(4);
  for (const wrong of [
    '',
    text.slice(1),
    text.slice(0, 48),
    `${text}${text}${text}`,
    ours.text(MAX_BUCKETS).repeat(2),
  ])
    assert.equal(ours.differing(wrong), undefined, String(wrong.length));
  assert.equal(ours.differing('?'.repeat(16))?.buckets.size, 1);
});
