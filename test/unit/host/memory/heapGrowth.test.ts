import assert from 'node:assert/strict';
import { test } from 'node:test';
import { growthPercent } from '#host/memory/heapGrowth.ts';

const MB = 2 ** 20;

void test('a small heap may grow to 64 MB at once, a large one by a quarter', () => {
  for (const [used, percent] of [
    [12, 433],
    [24, 167],
    [40, 60],
    [60, 25],
    [200, 25],
    [1, 600],
  ] as const)
    assert.equal(growthPercent(used * MB, undefined), percent, `${used} MB`);
});

void test('garbage does not count as what will be in use: what the last large collection left does', () => {
  for (const [used, kept, percent] of [
    [43, 20, 156],
    [43, 40, 49],
    [22, 20, 191],
  ] as const)
    assert.equal(growthPercent(used * MB, kept * MB), percent, `${used} MB of which ${kept} were kept`);
});
