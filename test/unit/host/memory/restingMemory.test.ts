import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ownMemory } from '#host/memory/ownMemory.ts';
import { isWorthCollecting, restMemory } from '#host/memory/restingMemory.ts';
import { eventually } from '../../../support/harness/host.ts';
import { memoryOfFiles } from '../../../support/unit/memoryOfFiles.ts';

const MB = 2 ** 20;

void describe('Memory of a process that rests', () => {
  void it('is collected when it has grown since the last time, and not while there is work', () => {
    const grown = { own: 280 * MB, before: 180 * MB, load: 0.01 };
    assert.equal(isWorthCollecting(grown), true);
    assert.equal(isWorthCollecting({ ...grown, load: 0.5 }), false);
    assert.equal(isWorthCollecting({ ...grown, own: 200 * MB }), false);
    assert.equal(isWorthCollecting({ ...grown, own: 150 * MB }), false);
  });

  void it('is collected once after the start, however little it is', () => {
    assert.equal(isWorthCollecting({ own: 20 * MB, before: undefined, load: 0.01 }), true);
    assert.equal(isWorthCollecting({ own: 20 * MB, before: undefined, load: 0.5 }), false);
    assert.equal(isWorthCollecting({ own: 20 * MB, before: 19 * MB, load: 0.01 }), false);
  });

  void it('is given back to the system, whether it was an object or a block of malloc', async () => {
    const before = ownMemory();
    const files = memoryOfFiles();
    // Their bytes lie outside the heap of JavaScript.
    const blocks = Array.from({ length: 200_000 }, (_, i) => Buffer.alloc(150, i));
    const objects = Array.from({ length: 2_000_000 }, (_, i) => ({ i }));
    assert.ok(ownMemory() - before > 80 * MB);
    blocks.length = 0;
    objects.length = 0;
    using _memory = restMemory(100);
    await eventually('it is given back', () => ownMemory() - before < 30 * MB, 60_000);
    assert.ok(memoryOfFiles() < files * 0.8, 'and what is not needed of the program');
  });
});
