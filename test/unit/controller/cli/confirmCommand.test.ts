import assert from 'node:assert/strict';
import { test } from 'node:test';
import { outcomes, together } from '../../../../controller/cli/synchronisation/confirmCommand.ts';

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

test('only where something was on hold it is confirmed; an MDS that was not reached is named', () => {
  const [reason, paths] = ['22 of 40 files would be removed', ['a.wav']];
  const mds = [
    { name: 'mds1', ok: true, problems: [] },
    { name: 'mds2', ok: true, problems: [] },
    { name: 'mds3', ok: false, problems: ['not connected'] },
  ];
  assert.deepEqual(outcomes({ held: [{ host: 'mds2', reason, paths }], mds }), [
    'mds2: confirmed',
    'mds3: not confirmed (not connected)',
  ]);
  assert.deepEqual(outcomes({ held: [{ host: 'main', reason, paths: [] }], mds }), [
    'main: confirmed',
    'mds1: confirmed',
    'mds2: confirmed',
    'mds3: not confirmed (not connected)',
  ]);
});
