import assert from 'node:assert/strict';
import test from 'node:test';
import { formatDuration, parseDuration } from '#core/text/duration.ts';

void test('durations are read with their unit', () => {
  const read = ['300ms', '2s', '15m', '1h', '30d', '0s', ' 5m '].map(parseDuration);
  assert.deepEqual(read, [300, 2000, 900_000, 3_600_000, 2_592_000_000, 0, 300_000]);
});

void test('what is not a duration is refused with a message that shows a valid one', () => {
  for (const text of ['', '15', 'm', '-1s', '1.5h', '1 m', '1w', '5M', '1e3s', '99999999999999999999s']) {
    assert.throws(
      () => parseDuration(text),
      { name: 'RangeError', message: /not a duration.*such as 15m/ },
      text,
    );
  }
  assert.equal(parseDuration('3650d'), 315_360_000_000);
  assert.throws(() => parseDuration('3651d'), /longer than ten years/);
});

void test('durations are shown as exactly as it matters', () => {
  const shown = [0, 250, 999, 1000, 1250, 9949, 10_000, 125_000, 3_600_000, 3_605_000, 97_200_000, -2000];
  const expected = [
    '0 ms',
    '250 ms',
    '999 ms',
    '1 s',
    '1.3 s',
    '9.9 s',
    '10 s',
    '2 min',
    '1 h',
    '1 h',
    '27 h',
    '-2 s',
  ];
  assert.deepEqual(shown.map(formatDuration), expected);
  assert.equal(formatDuration(59_999), '1 min');
});
