import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClockOffset } from '#wire/clockOffset.ts';

const NOW = 1_700_000_000_000;

void test('the offset is half the way there and back', () => {
  const clock = new ClockOffset();
  clock.measured(NOW, NOW + 5_010, NOW + 20);
  assert.equal(clock.milliseconds, -5_000);
});

void test('a clock that stands in 1970 is a clock', () => {
  const clock = new ClockOffset();
  clock.measured(NOW, 10, NOW + 20);
  assert.equal(clock.milliseconds, NOW);
});

for (const [what, sent, theirs] of [
  ['a time that no clock shows', NOW, 1e300],
  ['a time that no clock shows, in the past', NOW, -1e300],
  ['no number', NOW, NaN],
  ['a question that was never sent, in the past', -1e300, NOW],
  ['a question that was never sent, in the future', NOW + 1e9, NOW],
  ['an endless time', NOW, Infinity],
] as const) {
  void test(`what an MDS says is not believed: ${what}`, () => {
    const clock = new ClockOffset();
    clock.measured(sent, theirs, NOW + 20);
    assert.equal(clock.known, false);
    assert.equal(clock.nanoseconds, 0n);
  });
}
