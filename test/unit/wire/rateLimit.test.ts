import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { test } from 'node:test';
import { allOf, RateLimit } from '#wire/rateLimit.ts';
import { ManualClock } from '../../support/wire/manualClock.ts';

const NEVER = new AbortController().signal;

/** How long so many pieces take through a limit, milliseconds. */
async function timeOf(limit: RateLimit, clock: ManualClock, pieces: number, bytes: number): Promise<number> {
  const began = clock.monotonic();
  for (let piece = 0; piece < pieces; piece++) {
    const passing = limit.pass(bytes, NEVER);
    await turn();
    while (clock.timers > 0) clock.advance(1);
    await passing;
  }
  return clock.monotonic() - began;
}

void test('bytes pass at the rate, after a burst of 200 ms', async () => {
  const clock = new ManualClock();
  const limit = new RateLimit(() => 1_000_000, clock);
  assert.equal(await timeOf(limit, clock, 100, 10_000), 800);
  assert.equal(await timeOf(limit, clock, 50, 10_000), 500);
  // A rest earns no more than that burst.
  clock.advance(60_000);
  assert.equal(await timeOf(limit, clock, 100, 10_000), 800);
});

void test('a limit that is lifted or changed counts from then on', async () => {
  const clock = new ManualClock();
  let rate = 0;
  const limit = new RateLimit(() => rate, clock);
  assert.equal(await timeOf(limit, clock, 100, 1_000_000), 0);
  rate = 1_000;
  assert.equal(await timeOf(limit, clock, 1, 1_000), 800);
  rate = 10_000;
  assert.equal(await timeOf(limit, clock, 10, 1_000), 1_000);
});

void test('a wait ends with what is waited for, and the slowest of several limits decides', async () => {
  const clock = new ManualClock();
  const over = new AbortController();
  const both = allOf([new RateLimit(() => 1_000_000, clock), new RateLimit(() => 1_000, clock)]);
  let isThrough = false;
  const passing = both.pass(10_000, over.signal).then(() => (isThrough = true));
  clock.advance(1_000);
  await turn();
  assert.equal(isThrough, false);
  over.abort();
  await passing;
  assert.equal(clock.timers, 0);
});
