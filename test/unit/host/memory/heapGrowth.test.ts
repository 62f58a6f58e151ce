import assert from 'node:assert/strict';
import { test } from 'node:test';
import { growthPercent } from '#host/memory/heapGrowth.ts';

const MB = 2 ** 20;

void test('a small heap may grow to 48 MB at once, a large one by a quarter', () => {
  for (const [used, percent] of [
    [12, 300],
    [24, 100],
    [40, 25],
    [200, 25],
    [1, 600],
  ] as const)
    assert.equal(growthPercent(used * MB), percent, `${used} MB`);
});
