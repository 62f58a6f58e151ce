import assert from 'node:assert/strict';
import test from 'node:test';
import type { Decision } from '#core/plan/decision.ts';
import { type Case, file, folder, kindsOf, planOf } from '../../../support/unit/planCase.ts';

const v1 = file('v1');
const v2 = file('v2', { mtime: '200' });
const v3 = file('v3', { mtime: '300' });

function recordings(given: Case): Record<string, string> {
  return kindsOf({ direction: 'both', ...given });
}

function decisionOn(path: string, given: Case): Decision | undefined {
  return planOf({ direction: 'both', ...given }).decisions.get(path);
}

void test('a recording that is new on an MDS goes to Main with its folders, then to every other MDS', () => {
  assert.deepEqual(recordings({ mds: { 'a/f': v1 } }), { a: 'upload', 'a/f': 'upload' });
  assert.deepEqual(recordings({ main: { 'a/f': v1 } }), { a: 'deliver', 'a/f': 'deliver' });
});

void test('a recording that changed on one side only travels from there, whichever is the newer', () => {
  const ledger = { f: v2 };
  const upload = decisionOn('f', { main: { f: v2 }, mds: { f: v1 }, ledger });
  assert.ok(upload?.kind === 'upload' && !upload.conflict && upload.content && upload.expect === v2);
  assert.deepEqual(recordings({ main: { f: v1 }, mds: { f: v2 }, ledger }), { f: 'deliver' });
});

void test('changed metadata alone travels without content, and loses to changed content', () => {
  const moded = file('v1', { mode: 0o600 });
  const upload = decisionOn('f', { main: { f: v1 }, mds: { f: moded }, ledger: { f: v1 } });
  assert.ok(upload?.kind === 'upload' && !upload.content && !upload.conflict);
  assert.deepEqual(recordings({ main: { f: moded }, mds: { f: v2 }, ledger: { f: v1 } }), { f: 'upload' });
  assert.deepEqual(recordings({ main: { f: v2 }, mds: { f: moded }, ledger: { f: v1 } }), { f: 'deliver' });
});

void test('of a recording that changed on both sides the newer wins, and the loser is kept in the trash of Main', () => {
  const ledger = { f: v1 };
  const upload = decisionOn('f', { main: { f: v2 }, mds: { f: v3 }, ledger });
  assert.ok(upload?.kind === 'upload' && upload.conflict && upload.expect === v2);
  const lose = decisionOn('f', { main: { f: v3 }, mds: { f: v2 }, ledger });
  assert.ok(lose?.kind === 'lose' && lose.loser === v2 && lose.winner === v3);
});

void test("the newer is found by the MDS's clock as corrected, equal times by the hash", () => {
  const given = { main: { f: v2 }, mds: { f: v3 }, ledger: { f: v1 } };
  assert.deepEqual(recordings({ ...given, clockOffset: 99n }), { f: 'upload' });
  assert.deepEqual(recordings({ ...given, clockOffset: 101n }), { f: 'lose' });
  assert.deepEqual(recordings({ ...given, clockOffset: 100n }), { f: 'upload' });
  assert.deepEqual(recordings({ ...given, main: { f: v3 }, mds: { f: v2 }, clockOffset: -100n }), {
    f: 'lose',
  });
});

void test("the time of Main's is corrected by the clock that gave it, when that was another MDS's", () => {
  const given = { main: { f: v3 }, mds: { f: v2 }, ledger: { f: v1 } };
  assert.deepEqual(recordings({ ...given, mainClocks: { f: 99n } }), { f: 'lose' });
  assert.deepEqual(recordings({ ...given, mainClocks: { f: 101n } }), { f: 'upload' });
  assert.deepEqual(recordings({ ...given, mainClocks: { f: 101n }, clockOffset: 2n }), { f: 'lose' });
  const back = { main: { f: v2 }, mds: { f: v3 }, ledger: { f: v1 } };
  assert.deepEqual(recordings({ ...back, mainClocks: { f: -101n } }), { f: 'lose' });
});

void test('two recordings of one name at first contact are a conflict', () => {
  assert.deepEqual(recordings({ main: { f: v3 }, mds: { f: v2 } }), { f: 'lose' });
});

void test('the same change on both sides is no conflict', () => {
  assert.deepEqual(recordings({ main: { f: v2 }, mds: { f: v2 }, ledger: { f: v1 } }), { f: 'agree' });
});

void test('a recording that Main removed is removed everywhere, also where the ledger was lost', () => {
  const tombstones = { f: v1 };
  assert.deepEqual(recordings({ mds: { f: v1 }, ledger: { f: v1 }, tombstones }), { f: 'remove' });
  assert.deepEqual(recordings({ mds: { f: v1 }, tombstones }), { f: 'remove' });
  assert.deepEqual(recordings({ deletions: 'both', mds: { f: v1 }, ledger: { f: v1 }, tombstones }), {
    f: 'remove',
  });
});

void test('a recording that an MDS changed since Main removed it goes to Main again', () => {
  assert.deepEqual(recordings({ mds: { f: v2 }, ledger: { f: v1 }, tombstones: { f: v1 } }), { f: 'upload' });
  assert.deepEqual(recordings({ mds: { f: v2 }, tombstones: { f: v1 } }), { f: 'upload' });
  const touched = file('v1', { mtime: '300' });
  assert.deepEqual(recordings({ mds: { f: touched }, ledger: { f: v1 }, tombstones: { f: v1 } }), {
    f: 'upload',
  });
});

void test('what Main took and removed before its answer arrived stays removed', () => {
  assert.deepEqual(recordings({ mds: { f: v2 }, ledger: { f: v1 }, tombstones: { f: v2 } }), { f: 'remove' });
});

void test('without a tombstone nothing is removed: a Main that lost its state gets its recordings back', () => {
  assert.deepEqual(recordings({ mds: { f: v1 }, ledger: { f: v1 } }), { f: 'upload' });
});

void test('a recording that was removed on one MDS comes back from Main', () => {
  assert.deepEqual(recordings({ main: { f: v1 }, ledger: { f: v1 } }), { f: 'deliver' });
});

void test('with `deletions: both` it is removed on Main, unless Main changed it since', () => {
  const both = { deletions: 'both', ledger: { f: v1 } } as const;
  assert.deepEqual(recordings({ ...both, main: { f: v1 } }), { f: 'remove-on-main' });
  assert.deepEqual(recordings({ ...both, main: { f: v2 } }), { f: 'deliver' });
  assert.deepEqual(recordings({ deletions: 'both', main: { f: v1 } }), { f: 'deliver' });
});

void test('with `deletions: never` nothing is ever removed: a union', () => {
  const never = { deletions: 'never', ledger: { f: v1 }, tombstones: { f: v1 } } as const;
  assert.deepEqual(recordings({ ...never, mds: { f: v1 } }), { f: 'upload' });
  assert.deepEqual(recordings({ ...never, main: { f: v1 } }), { f: 'deliver' });
});

void test('a removed folder comes back to Main only when a recording in it stays', () => {
  const known = { ledger: { 'a/f': v1 }, tombstones: { a: folder, 'a/f': v1 } };
  assert.deepEqual(recordings({ ...known, mds: { 'a/f': v1 } }), { a: 'remove', 'a/f': 'remove' });
  assert.deepEqual(recordings({ ...known, mds: { 'a/f': v1, 'a/new': v2 } }), {
    a: 'upload',
    'a/f': 'remove',
    'a/new': 'upload',
  });
  assert.deepEqual(recordings({ ...known, mds: { 'a/f': v1 }, mdsOverrides: ['a/xds_override'] }), {
    'a/f': 'remove',
  });
});

void test('a folder that was removed on an MDS comes back when Main has something new, special or an override in it', () => {
  const both = { deletions: 'both', ledger: { 'a/f': v1 } } as const;
  assert.deepEqual(recordings({ ...both, main: { 'a/f': v1 } }), {
    a: 'remove-on-main',
    'a/f': 'remove-on-main',
  });
  assert.deepEqual(recordings({ ...both, main: { 'a/f': v1, 'a/new': v2 } }), {
    a: 'deliver',
    'a/f': 'remove-on-main',
    'a/new': 'deliver',
  });
  assert.deepEqual(recordings({ ...both, main: { 'a/f': v1, 'a/s': 'special' } }), {
    a: 'deliver',
    'a/f': 'remove-on-main',
    'a/s': 'skip',
  });
  assert.deepEqual(recordings({ ...both, main: { 'a/f': v1 }, mainOverrides: ['a/xds_override'] }), {
    a: 'deliver',
    'a/f': 'remove-on-main',
  });
});

void test('a folder that an MDS replaced by a file wins there, unless what is in it comes back', () => {
  const given = { main: { 'a/f': v1 }, mds: { a: v2 }, ledger: { 'a/f': v1 } };
  assert.deepEqual(recordings(given), { a: 'deliver', 'a/f': 'deliver' });
  assert.deepEqual(recordings({ ...given, deletions: 'both' }), { a: 'upload' });
  const kept = { ...given, deletions: 'both', mainOverrides: ['a/xds_override'] } as const;
  assert.deepEqual(recordings(kept), { a: 'deliver', 'a/f': 'remove-on-main' });
});

void test('a file that an MDS replaced by a folder goes to Main with what the folder holds', () => {
  assert.deepEqual(recordings({ main: { a: v1 }, mds: { 'a/f': v2 }, ledger: { a: v1 } }), {
    a: 'upload',
    'a/f': 'upload',
  });
});

void test('nothing is uploaded into what is no folder on Main', () => {
  assert.deepEqual(recordings({ main: { a: 'special' }, mds: { 'a/f': v1 } }), { a: 'skip', 'a/f': 'skip' });
});
