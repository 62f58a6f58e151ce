import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lastSeenOf, stateFile } from '../../../support/unit/lastSeenOf.ts';
import { ManualClock } from '../../../support/wire/manualClock.ts';

void test('when an MDS was last there is known after a restart of Main, as long as it is enrolled', (t) => {
  const clock = new ManualClock();
  const file = stateFile(t);
  const before = lastSeenOf(t, clock, ['mds1', 'mds2'], file);
  assert.equal(before.get('mds1'), undefined);
  before.note('mds1', '192.0.2.1');
  clock.advance(1_000);
  before.note('mds2', '192.0.2.2');
  before.note('mds1', '192.0.2.3');
  const at = clock.now();
  clock.advance(60_000);

  const after = lastSeenOf(t, clock, ['mds1'], file);
  assert.deepEqual([...after], [['mds1', { at, address: '192.0.2.3' }]]);
  assert.equal(after.get('mds2'), undefined);
});
