import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { timeOf, timeText } from '#core/manifest/fileTime.ts';

const LEAST = -(2n ** 63n) * 1_000_000_000n;

void test('a time is the same after it was taken apart, or is not taken apart', () => {
  const near = fc.bigInt({ min: -3_000_000_000n, max: 3_000_000_000n });
  const far = fc.bigInt({ min: LEAST, max: -LEAST });
  const usual = fc.bigInt({ min: 1_600_000_000_000_000_000n, max: 1_900_000_000_000_000_000n });
  fc.assert(
    fc.property(fc.oneof(near, far, usual), (nanoseconds) => {
      const text = String(nanoseconds);
      const time = timeOf(text);
      if (time !== undefined) {
        assert.equal(timeText(...time), text);
        assert.ok(time[1] >= 0 && time[1] < 1_000_000_000);
      }
      // What file systems hold, ext4 up to 2446, is exact.
      if (nanoseconds > -(2n ** 53n) && nanoseconds < 15_100_000_000_000_000_000n) assert.ok(time);
    }),
  );
});

void test('what no host writes as a time is none', () => {
  for (const text of ['', '-', '-0', '00', '007', '1.5', '1e9', ' 1', 'gone', '0x10', '1700000000 00000000'])
    assert.equal(timeOf(text), undefined, JSON.stringify(text));
  assert.deepEqual(timeOf('0'), [0, 0]);
  assert.deepEqual(timeOf('-1'), [-1, 999_999_999]);
  assert.deepEqual(timeOf('1700000000000000005'), [1_700_000_000, 5]);
});
