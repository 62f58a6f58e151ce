import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Heartbeat } from '#wire/heartbeat.ts';
import { ManualClock } from '../../support/wire/manualClock.ts';

class Heard {
  readonly clock = new ManualClock();
  readonly heardBefore: boolean[] = [];
  readonly silences: number[] = [];
  readonly stalls: number[] = [];
  get beats(): number {
    return this.heardBefore.length;
  }

  readonly heartbeat = new Heartbeat({
    clock: this.clock,
    onBeat: (wasHeard) => this.heardBefore.push(wasHeard),
    onSilence: (milliseconds) => this.silences.push(milliseconds),
    onStalled: (askedBefore) => this.stalls.push(askedBefore),
  });
}

void test('a sign of life goes out every five seconds', () => {
  const it = new Heard();
  it.clock.advance(4_999);
  assert.equal(it.beats, 0);
  it.clock.advance(1);
  it.clock.advance(5_000);
  assert.equal(it.beats, 2);
  it.heartbeat.stop();
  it.clock.advance(60_000);
  assert.deepEqual([it.beats, it.clock.timers], [2, 0]);
});

void test('with each goes whether the peer has been heard since the one before', () => {
  const it = new Heard();
  it.clock.advance(1);
  it.heartbeat.heard(false);
  it.clock.advance(4_999);
  it.clock.advance(5_000);
  assert.deepEqual(it.heardBefore, [true, false]);
});

void test('a peer that says nothing for more than fifteen seconds is dead', () => {
  const it = new Heard();
  it.clock.advance(15_000);
  assert.deepEqual(it.silences, []);
  it.clock.advance(5_000);
  assert.deepEqual(it.silences, [20_000]);
  assert.equal(it.beats, 3, 'nothing is said to it any more');

  const alive = new Heard();
  for (let i = 0; i < 10; i++) {
    alive.clock.advance(14_000);
    alive.heartbeat.heard(false);
  }
  assert.deepEqual(alive.silences, []);
});

void test('a peer that lives and makes no progress is asked in vain: what is older than thirty seconds fails', () => {
  const it = new Heard();
  const live = (seconds: number, isProgress: boolean): void => {
    for (let i = 0; i < seconds; i++) {
      it.clock.advance(1_000);
      it.heartbeat.heard(isProgress && i === seconds - 1);
    }
  };
  live(29, false);
  assert.deepEqual(it.stalls, []);
  live(1, false);
  assert.deepEqual(it.stalls, [0]);
  live(5, false);
  assert.deepEqual(it.stalls, [0, 5_000]);
  live(1, true);
  live(28, false);
  assert.deepEqual(it.stalls, [0, 5_000]);
});
