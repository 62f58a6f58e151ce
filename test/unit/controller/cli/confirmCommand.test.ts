import assert from 'node:assert/strict';
import { test } from 'node:test';
import { together } from '../../../../controller/cli/synchronisation/confirmCommand.ts';

test('the same hold of several MDS is shown once, another one for itself', () => {
  const [reason, paths] = ['22 of 40 files would be removed', ['a.wav', 'b.wav']];
  const held = [
    { host: 'mds1', reason, paths },
    { host: 'mds2', reason, paths: ['a.wav'] },
    { host: 'mds3', reason, paths },
  ];
  assert.deepEqual(together(held), [
    { host: 'mds1, mds3', reason, paths },
    { host: 'mds2', reason, paths: ['a.wav'] },
  ]);
});
