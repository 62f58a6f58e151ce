import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Steps } from '#core/steps.ts';
import { inSlices } from '#host/time/timeSlice.ts';

/** Milliseconds, more than are given to one stretch of work. */
const LONG = 20;

void test('work in slices ends with the signal, and closes what it has open', async () => {
  const end = new AbortController();
  const done: string[] = [];
  function* work(): Steps<string> {
    try {
      for (const step of ['first', 'second']) {
        done.push(step);
        for (const began = performance.now(); performance.now() - began < LONG;);
        yield;
      }
      return 'all';
    } finally {
      done.push('closed');
    }
  }
  assert.equal(await inSlices(work(), end.signal), 'all');
  assert.deepEqual(done.splice(0), ['first', 'second', 'closed']);
  const cut = inSlices(work(), end.signal);
  end.abort(new Error('ended'));
  await assert.rejects(cut, /ended/);
  assert.deepEqual(done, ['first', 'closed']);
});
