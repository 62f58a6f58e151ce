import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stepsToPrune } from '../../../../../agent/directory/own/prune.ts';
import { type Case, file, inputOf } from '../../../../support/unit/planCase.ts';

/** The paths that go when these were asked for. */
function pruned(given: Case, asked: readonly string[]): string[] {
  const input = inputOf(given);
  const replica = Object.assign(input.mds, { stampAt: () => 'stamp' });
  return stepsToPrune(asked, replica, input).map(({ path }) => path);
}

const MDS = { 'mine.wav': file('m'), 'mains.wav': file('a'), 'once.wav': file('o'), 'x.bak': file('b') };
const GIVEN: Case = {
  mds: MDS,
  main: { 'mains.wav': file('a') },
  ledger: { 'mains.wav': file('a'), 'once.wav': file('o') },
  excludes: ['*.bak'],
};

void test('only what the planner calls local goes, whatever was asked for', () => {
  assert.deepEqual(pruned(GIVEN, [...Object.keys(MDS), 'nothing.wav']), ['mine.wav']);
});

void test('a local folder goes when all that is in it does', () => {
  const mds = { 'd/e/one.wav': file('1'), 'd/two.wav': file('2') };
  assert.deepEqual(pruned({ mds }, ['d/e/one.wav']), ['d/e/one.wav', 'd/e']);
  assert.deepEqual(pruned({ mds }, ['d/e/one.wav', 'd/two.wav']), ['d/e/one.wav', 'd/two.wav', 'd/e', 'd']);
  assert.deepEqual(pruned({ mds }, ['d', 'd/two.wav']), ['d/two.wav'], 'd/e/one.wav stays');
  const mdsOverrides = ['d/xds_override_x'];
  assert.deepEqual(pruned({ mds, mdsOverrides }, ['d/e/one.wav', 'd/two.wav']), [
    'd/e/one.wav',
    'd/two.wav',
    'd/e',
  ]);
});
