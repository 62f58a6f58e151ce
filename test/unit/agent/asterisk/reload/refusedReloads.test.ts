import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RefusedReloads } from '../../../../../agent/asterisk/reload/refusedReloads.ts';
import { ManualClock } from '../../../../support/wire/manualClock.ts';

const REFUSAL = { file: 'local.conf', line: 1, message: "no closing ']'" };

function stand(): { clock: ManualClock; reloads: RefusedReloads; tried: () => number } {
  const clock = new ManualClock();
  let tried = 0;
  const reloads = new RefusedReloads(
    () => (tried += 1),
    (ms, callback) => clock.after(ms, callback),
  );
  return { clock, reloads, tried: () => tried };
}

test('a refused reload is tried again after pauses that grow from 2 s to 60 s', () => {
  const { clock, reloads, tried } = stand();
  for (const pause of [2, 4, 8, 16, 32, 60, 60]) {
    const before = tried();
    reloads.refused('dialplan', REFUSAL, clock.now());
    clock.advance(pause * 1_000 - 1);
    assert.equal(tried(), before, `before ${pause} s`);
    clock.advance(1);
    assert.equal(tried(), before + 1, `after ${pause} s`);
  }
  reloads.refused('dialplan', { ...REFUSAL, file: 'other.conf' }, clock.now());
  clock.advance(2_000);
  assert.equal(tried(), 8);
});

test('it is tried within a second of a change in the folder, once, and not after it was accepted', () => {
  const { clock, reloads, tried } = stand();
  reloads.changed('dialplan');
  assert.equal(clock.timers, 0);
  for (let i = 0; i < 7; i++) reloads.refused('dialplan', REFUSAL, clock.now());
  reloads.changed('dialplan');
  reloads.changed('dialplan');
  clock.advance(1_000);
  assert.equal(tried(), 1);
  reloads.refused('dialplan', REFUSAL, clock.now());
  reloads.taken('dialplan');
  clock.advance(100_000);
  assert.equal(tried(), 1);
  assert.equal(reloads.get('dialplan'), undefined);
});
