import assert from 'node:assert/strict';
import test from 'node:test';
import { file, folder, kindsOf, planOf } from '../../../support/unit/planCase.ts';

/** What random histories found the planner to do wrong, shrunk. */
const v1 = file('v1');
const v2 = file('v2', { mtime: '200' });

void test("the planner ends when Main's file replaces a folder with delivered files", () => {
  assert.deepEqual(kindsOf({ main: { a: v2 }, mds: { 'a/f': v1 }, ledger: { 'a/f': v1 } }), { a: 'deliver' });
});

void test('a plan for one file takes the new folders on its way along', () => {
  assert.deepEqual(kindsOf({ main: { 'a/b/f': v1 }, paths: ['a/b/f'] }), {
    'a/b/f': 'deliver',
    'a/b': 'deliver',
    a: 'deliver',
  });
});

void test('a plan for a removed folder alone judges all it holds, and does not bring it back to Main', () => {
  const mds = { 'a/f': v1 };
  const ledger = { 'a/f': v1 };
  const tombstones = { a: folder, 'a/f': v1 };
  const gone = { a: 'remove', 'a/f': 'remove' };
  assert.deepEqual(kindsOf({ mds, ledger, paths: ['a'] }), gone);
  assert.deepEqual(kindsOf({ direction: 'both', mds, ledger, tombstones, paths: ['a'] }), gone);
  assert.deepEqual(kindsOf({ direction: 'both', deletions: 'both', main: mds, ledger, paths: ['a'] }), {
    a: 'remove-on-main',
    'a/f': 'remove-on-main',
  });
});

void test('nothing is delivered into a folder that is about to become a file on Main', () => {
  const given = {
    direction: 'both',
    deletions: 'never',
    main: { 'b/a': folder },
    mds: { b: v1 },
    ledger: { 'b/a': folder },
  } as const;
  assert.deepEqual(kindsOf(given), { b: 'deliver', 'b/a': 'deliver' });
});

void test('nothing is delivered below a file that is being written on the MDS', () => {
  const mdsBlur = { path: 'a', state: { kind: 'moving' } } as const;
  assert.deepEqual(kindsOf({ main: { 'a/f': v1 }, mds: { a: v2 }, mdsBlur }), { a: 'skip', 'a/f': 'skip' });
});

void test('a folder in which a recording is being written is not replaced yet', () => {
  const mdsBlur = { path: 'a/f', state: { kind: 'moving' } } as const;
  const given = {
    direction: 'both',
    main: { a: v1 },
    mds: { 'a/f': v2 },
    ledger: { a: folder },
    mdsBlur,
  } as const;
  assert.deepEqual(kindsOf(given), { a: 'skip', 'a/f': 'skip' });
});

void test('a folder that stays for an override alone is no news for Main, whatever Main had there last', () => {
  const given = {
    direction: 'both',
    mds: { a: folder },
    mdsOverrides: ['a/xds_override'],
    ledger: { a: folder },
    tombstones: { a: v1 },
  } as const;
  assert.equal(planOf(given).decisions.size, 0);
});

void test("a folder that Main removed and that stays for an MDS's override is that MDS's alone from then on", () => {
  const given = {
    direction: 'both',
    mds: { a: folder },
    mdsOverrides: ['a/xds_override'],
    tombstones: { a: folder },
  } as const;
  assert.deepEqual(
    new Map(planOf({ ...given, ledger: { a: folder } }).decisions),
    new Map([['a', { kind: 'forget' }]]),
  );
  assert.equal(planOf(given).decisions.size, 0);
});
