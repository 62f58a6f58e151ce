import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextIteration } from 'node:timers/promises';
import { Turns } from '#host/process/turns.ts';
import { ManualClock } from '../../../support/wire/manualClock.ts';

/** Lets the event loop go round. */
async function goRound(times: number): Promise<void> {
  for (let i = 0; i < times; i++) await nextIteration();
}

void test('the event loop goes round between any two pieces of work, which come in their order', async () => {
  const { patient } = new Turns(new ManualClock());
  const seen: string[] = [];
  for (const piece of ['a', 'b', 'c']) void patient.turn().then(() => seen.push(piece));
  for (let i = 0; i < 4; i++) {
    await nextIteration();
    seen.push('round');
  }
  assert.deepEqual(seen, ['a', 'round', 'b', 'round', 'c', 'round', 'round']);
});

void test('what is urgent never waits, and others wait until nothing is urgent', async () => {
  const { patient, urgent } = new Turns(new ManualClock());
  let isDone = false;
  const [first, second] = [urgent.hurry(), urgent.hurry()];
  const waiting = patient.turn().then(() => (isDone = true));
  await urgent.turn();
  await goRound(3);
  first?.[Symbol.dispose]();
  first?.[Symbol.dispose]();
  await goRound(3);
  assert.equal(isDone, false);
  second?.[Symbol.dispose]();
  await waiting;
});

void test('a turn that is due is not taken when something urgent has started in the same moment', async () => {
  const { patient, urgent } = new Turns(new ManualClock());
  let isDone = false;
  const waiting = patient.turn().then(() => (isDone = true));
  const hurry = urgent.hurry();
  await goRound(3);
  assert.equal(isDone, false);
  hurry?.[Symbol.dispose]();
  await waiting;
});

void test('nothing urgent keeps others waiting for more than a moment, and it leaves no timer behind', async () => {
  const clock = new ManualClock();
  const { patient, urgent } = new Turns(clock);
  const hurry = urgent.hurry();
  const waiting = patient.turn();
  clock.advance(1_000);
  await waiting;
  hurry?.[Symbol.dispose]();
  urgent.hurry()?.[Symbol.dispose]();
  assert.equal(clock.timers, 0);
  assert.equal(patient.hurry(), undefined);
});
