import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SettleQueue } from '#sync/scan/settleQueue.ts';
import type { Clock } from '#host/time/clock.ts';

function queueAt(): { queue: SettleQueue; pass: (ms: number) => void } {
  let time = 0;
  const clock = { now: () => time, monotonic: () => time } as Clock;
  return { queue: new SettleQueue(clock, 300), pass: (ms) => (time += ms) };
}

describe('What waits to be quiet', () => {
  it('is due each at its own time, while it is written', () => {
    const { queue, pass } = queueAt();
    queue.wait('a');
    pass(100);
    queue.wait('b');
    pass(200);
    assert.deepEqual(queue.takeDue(), ['a']);
    pass(100);
    assert.deepEqual(queue.takeDue(), ['b']);
    assert.equal(queue.delay, undefined);
  });

  it('is due all together when it is gone: a mass removal is one, however slowly it is made', () => {
    const { queue, pass } = queueAt();
    for (let i = 0; i < 10; i++) {
      queue.waitGone(String(i));
      assert.deepEqual(queue.takeDue(), []);
      pass(100);
    }
    assert.equal(queue.delay, 200);
    pass(200);
    assert.equal(queue.takeDue().length, 10);
    assert.equal(queue.size, 0);
  });

  it('does not wait for ever for removals that go on', () => {
    const { queue, pass } = queueAt();
    let taken = 0;
    for (let i = 0; i < 50 && taken === 0; i++) {
      queue.waitGone(String(i));
      pass(100);
      taken = queue.takeDue().length;
    }
    assert.equal(taken, 30);
  });

  it('is taken in portions until all has settled where that is asked for, but not what is gone', () => {
    const { queue, pass } = queueAt();
    const fill = (): void => {
      for (let i = 0; i < 2_001; i++) queue.wait(String(i));
    };
    const sizes = (): number[] => [queue.takeDue().length, queue.takeDue().length];
    queue.takeInPortions();
    fill();
    for (const path of ['x', 'y', 'z']) queue.waitGone(path);
    pass(300);
    assert.deepEqual(sizes(), [2_003, 1]);
    queue.caughtUp();
    fill();
    pass(300);
    assert.deepEqual(sizes(), [2_001, 0]);
  });

  it('is forgotten when the file is back', () => {
    const { queue, pass } = queueAt();
    queue.waitGone('a');
    queue.waitGone('b');
    queue.wait('a');
    queue.delete('b');
    pass(300);
    assert.deepEqual(queue.takeDue(), ['a']);
  });
});
