import assert from 'node:assert/strict';
import { test } from 'node:test';
import { upgradeFigures } from '../../../../../controller/cli/mds/upgradeCommand.ts';

const one = (name: string, result: 'upgraded' | 'current' | 'away' | 'failed', from: string | null) => ({
  name,
  result,
  words: '',
  from,
  durationMs: null,
});
const common = { version: '0.2.0', stopped: null, durationMs: 12_000 };

test('an upgrade of all ends with its figures, and with what to do about the rest', () => {
  const mds = [
    one('mds1', 'upgraded', '0.1.0'),
    one('mds2', 'upgraded', '0.1.1'),
    one('mds3', 'current', '0.2.0'),
  ];
  assert.deepEqual(upgradeFigures({ ...common, mds }), [
    '2 upgraded from 0.1.0, 0.1.1 to 0.2.0 in 12 s, 1 there already',
  ]);
  assert.deepEqual(upgradeFigures({ ...common, mds: [...mds, one('mds4', 'away', null)] }), [
    '2 upgraded from 0.1.0, 0.1.1 to 0.2.0 in 12 s, 1 there already, 1 away',
    'after a correction: xivo-xds-sync mds upgrade mds4',
  ]);
  const stopped = { at: 'mds1', reason: 'no room', notBegun: ['mds2', 'mds3'] };
  assert.deepEqual(upgradeFigures({ ...common, mds: [one('mds1', 'failed', '0.1.0')], stopped }), [
    '0 upgraded to 0.2.0 in 12 s, 1 failed, 2 not started',
    'after a correction: xivo-xds-sync mds upgrade --all',
  ]);
});

test('of one MDS its own line says all', () => {
  assert.deepEqual(upgradeFigures({ ...common, mds: [one('mds1', 'upgraded', '0.1.0')] }), []);
  assert.deepEqual(upgradeFigures({ ...common, mds: [] }), []);
});
