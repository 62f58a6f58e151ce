import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MtimeClocks } from '../../../../controller/directories/mtimeClocks.ts';
import { ApplyPlace, fileEntry } from '../../../support/unit/applyPlace.ts';

void test('a clock that can not be is neither noted nor passed on', (t) => {
  const { db } = new ApplyPlace(t);
  const clocks = new MtimeClocks(db, 'recordings');
  const entry = fileEntry('a recording');
  clocks.note('good.wav', entry, 5_000_000_000n);
  clocks.note('bad.wav', entry, BigInt(1e300) * 1_000_000n);
  assert.equal(clocks.clockOf('good.wav', entry), '5000000000');
  assert.equal(clocks.clockOf('bad.wav', entry), undefined);
});

void test('a state that an older version has poisoned with such a clock is corrected at the next start', (t) => {
  const { db } = new ApplyPlace(t);
  const entry = fileEntry('a recording');
  new MtimeClocks(db, 'recordings').note('good.wav', entry, 5_000_000_000n);
  const poison = String(BigInt(Math.round(1e300)) * 1_000_000n);
  db.prepare('UPDATE origins SET clock = ?').run(poison);
  assert.equal(new MtimeClocks(db, 'recordings').clockOf('good.wav', entry), undefined);
});
