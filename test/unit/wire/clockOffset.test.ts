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

void test('of the last 45 seconds, the measurement with the shortest way there and back counts', () => {
  const clock = new ClockOffset();
  clock.measured(NOW, NOW + 1_001, NOW + 2);
  clock.measured(NOW + 30_000, NOW + 37_005, NOW + 30_010);
  assert.equal(clock.milliseconds, -1_000, 'the shorter way');
  clock.measured(NOW + 45_002, NOW + 52_012, NOW + 45_022);
  assert.equal(clock.milliseconds, -7_000, 'the first one is too old, and the second shorter than the third');
});

void test("a measurement does not count any more once this host's clock has been set back", () => {
  const clock = new ClockOffset();
  clock.measured(NOW, NOW + 1, NOW + 2);
  clock.measured(NOW - 60_000, NOW + 10, NOW - 60_000 + 20);
  assert.equal(clock.milliseconds, -60_000);
});

void test('it is time to measure at the start, 12 seconds after the last measurement, and when the clock was set', () => {
  const clock = new ClockOffset();
  assert.ok(clock.isDue(NOW));
  clock.measured(NOW, NOW, NOW);
  assert.deepEqual(
    [NOW + 11_999, NOW + 12_000, NOW - 1].map((now) => clock.isDue(now)),
    [false, true, true],
  );
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
