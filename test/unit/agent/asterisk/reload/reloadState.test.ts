import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { BUSY_TRIES, FIRST_RETRY_MS, LONGEST_RETRY_MS } from '../../../../../agent/asterisk/reload/limits.ts';
import { isPending, transition } from '../../../../../agent/asterisk/reload/reloadState.ts';
import type { ReloadEvent, ReloadState } from '../../../../../agent/asterisk/reload/reloadState.ts';

const idle: ReloadState = { name: 'idle' };

function after(state: ReloadState, ...events: ReloadEvent[]): ReloadState {
  return events.reduce((current, event) => transition(current, event).state, state);
}

test('requests during a reload cause exactly one more', () => {
  const running = after(idle, { type: 'requested' }, { type: 'requested' }, { type: 'requested' });
  const second = transition(running, { type: 'answered', how: 'final' });
  assert.equal(second.start, true);
  const third = transition(second.state, { type: 'answered', how: 'final' });
  assert.equal(third.start, undefined);
  assert.deepEqual(third.state, idle);
});

test('a pending reload is retried with growing delays, and never at once', () => {
  let state = after(idle, { type: 'requested' });
  const waits: number[] = [];
  for (let count = 0; count < 10; count += 1) {
    const step = transition(state, { type: 'answered', how: 'away' });
    assert.equal(step.start, undefined);
    waits.push(step.wait ?? 0);
    state = after(step.state, { type: 'due' });
  }
  assert.equal(waits[0], FIRST_RETRY_MS);
  assert.equal(waits.at(-1), LONGEST_RETRY_MS);
  assert.deepEqual(
    waits,
    waits.toSorted((a, b) => a - b),
  );
  assert.equal(isPending(state), true);
});

test('an Asterisk that stays busy counts as away in the end', () => {
  let state = after(idle, { type: 'requested' });
  for (let count = 1; count < BUSY_TRIES; count += 1) {
    const step = transition(state, { type: 'answered', how: 'busy' });
    assert.equal(step.settle, undefined);
    state = after(step.state, { type: 'due' });
  }
  assert.equal(transition(state, { type: 'answered', how: 'busy' }).settle, true);
});

test('whatever happens, a start only follows an end, and a pending reload is running or waiting', () => {
  const event = fc.oneof(
    fc.constant<ReloadEvent>({ type: 'requested' }),
    fc.constant<ReloadEvent>({ type: 'due' }),
    fc.constantFrom('final', 'busy', 'away').map((how): ReloadEvent => ({ type: 'answered', how })),
  );
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), (events) => {
      let state: ReloadState = idle;
      let running = 0;
      for (const event of events) {
        if (event.type === 'answered' && running === 0) continue;
        if (event.type === 'answered') running -= 1;
        const step = transition(state, event);
        if (step.start) running += 1;
        assert.ok(running <= 1);
        assert.equal(step.state.name === 'running', running === 1);
        assert.ok(!(step.start && step.wait !== undefined));
        assert.equal(isPending(step.state), step.state.name !== 'idle');
        state = step.state;
      }
    }),
  );
});
