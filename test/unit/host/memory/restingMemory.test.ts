import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isWorthCollecting, restMemory } from '#host/memory/restingMemory.ts';
import { eventually } from '../../../support/harness/host.ts';

const MB = 2 ** 20;

void describe('Memory of a process that rests', () => {
  void it('is collected when it has grown since the last time, and not while there is work', () => {
    const grown = { resident: 280 * MB, before: 180 * MB, load: 0.01 };
    assert.equal(isWorthCollecting(grown), true);
    assert.equal(isWorthCollecting({ ...grown, load: 0.5 }), false);
    assert.equal(isWorthCollecting({ ...grown, resident: 200 * MB }), false);
    assert.equal(isWorthCollecting({ ...grown, resident: 150 * MB }), false);
  });

  void it('is given back to the system, whether it was an object or a block of malloc', async () => {
    const before = process.memoryUsage.rss();
    // Their bytes lie outside the heap of JavaScript.
    const blocks = Array.from({ length: 200_000 }, (_, i) => Buffer.alloc(150, i));
    const objects = Array.from({ length: 2_000_000 }, (_, i) => ({ i }));
    assert.ok(process.memoryUsage.rss() - before > 80 * MB);
    blocks.length = 0;
    objects.length = 0;
    using _memory = restMemory(100);
    await eventually('it is given back', () => process.memoryUsage.rss() - before < 30 * MB, 60_000);
  });
});
