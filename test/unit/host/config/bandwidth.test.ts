import assert from 'node:assert/strict';
import test from 'node:test';
import { rateAt } from '#host/config/bandwidth.ts';

void test('a limit holds in its hours, also over midnight', () => {
  const at = (hour: number, minute = 0): number => new Date(2026, 10, 25, hour, minute).getTime();
  const day = { rate: 5, hours: { from: 480, to: 1080 } };
  assert.deepEqual(
    [7, 8, 17, 18].map((hour) => rateAt(day, at(hour))),
    [0, 5, 5, 0],
  );
  const night = { rate: 5, hours: { from: 1320, to: 390 } };
  assert.deepEqual(
    [21, 22, 0, 6, 7].map((hour) => rateAt(night, at(hour))),
    [0, 5, 5, 5, 0],
  );
  assert.equal(rateAt(night, at(6, 30)), 0);
  assert.equal(rateAt({ rate: 5 }, at(3)), 5);
});
