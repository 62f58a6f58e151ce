import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isWorthCollecting, restMemory } from '#host/memory/restingMemory.ts';
import { eventually } from '../../../support/harness/host.ts';

const MB = 2 ** 20;

void describe('Memory of a process that rests', () => {
  void it('is collected when much of it is garbage, and not while there is work', () => {
    const full = { heapUsed: 280 * MB, live: 80 * MB, load: 0.01 };
    assert.equal(isWorthCollecting(full), true);
    assert.equal(isWorthCollecting({ ...full, load: 0.5 }), false);
    assert.equal(isWorthCollecting({ ...full, heapUsed: 100 * MB }), false);
    assert.equal(isWorthCollecting({ heapUsed: 40 * MB, live: 20 * MB, load: 0 }), false);
  });

  void it('is given back', async () => {
    const before = process.memoryUsage().heapUsed;
    const kept = Array.from({ length: 2_000_000 }, (_, i) => ({ i }));
    assert.ok(process.memoryUsage().heapUsed - before > 50 * MB);
    kept.length = 0;
    using _memory = restMemory();
    await eventually('it is given back', () => process.memoryUsage().heapUsed - before < 30 * MB, 60_000);
  });
});
