import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stagesOf } from '../../../../../controller/control/upgrade/stages.ts';

const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];

test('without a canary the first MDS that waits for an upgrade goes alone, then four at a time', () => {
  const stages = stagesOf(names, { canaries: [], isWaiting: (name) => name !== 'a' });
  assert.deepEqual(stages, [
    { names: ['b'], isCanary: true },
    { names: ['a', 'c', 'd', 'e'], isCanary: false },
    { names: ['f', 'g'], isCanary: false },
  ]);
});

test('canaries go one after the other, in the order of the configuration', () => {
  const stages = stagesOf(names.slice(0, 4), { canaries: ['c', 'gone', 'a'], isWaiting: () => true });
  assert.deepEqual(stages, [
    { names: ['c'], isCanary: true },
    { names: ['a'], isCanary: true },
    { names: ['b', 'd'], isCanary: false },
  ]);
});

test('without a pending upgrade there is no canary, and no MDS is left out', () => {
  const stages = stagesOf(['a', 'b'], { canaries: [], isWaiting: () => false });
  assert.deepEqual(stages, [{ names: ['a', 'b'], isCanary: false }]);
});
