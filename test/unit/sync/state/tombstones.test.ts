import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StateError } from '#sync/state/stateError.ts';
import { Tombstones } from '#sync/state/tombstones.ts';
import { fileEntry } from '../../../support/unit/applyPlace.ts';
import { stateFor } from '../../../support/unit/stateFor.ts';

const NOW = 1_700_000_000_000;
const DAY = 24 * 3_600_000;

void test('a tombstone lasts over restarts for half a year, and then its file counts as new', (t) => {
  const db = stateFor(t);
  const first = new Tombstones(db, 'recordings', NOW);
  first.set('old', fileEntry('old'), NOW);
  first.set('younger', fileEntry('younger'), NOW + DAY);
  new Tombstones(db, 'sounds', NOW).set('other', fileEntry('of sounds'), NOW);
  const inTime = new Tombstones(db, 'recordings', NOW + 180 * DAY);
  assert.deepEqual(
    [...inTime.entries],
    [
      ['old', fileEntry('old')],
      ['younger', fileEntry('younger')],
    ],
  );
  const later = new Tombstones(db, 'recordings', NOW + 180 * DAY + 1);
  assert.deepEqual([...later.entries.keys()], ['younger']);
  // For good: a clock that is set back does not bring it back.
  assert.deepEqual([...new Tombstones(db, 'recordings', NOW).entries.keys()], ['younger']);
  assert.deepEqual([...new Tombstones(db, 'sounds', NOW).entries.keys()], ['other']);
});

void test('a file that is removed again is judged by its last removal', (t) => {
  const db = stateFor(t);
  const tombstones = new Tombstones(db, 'recordings', NOW);
  tombstones.set('a', fileEntry('first'), NOW);
  tombstones.delete('a');
  tombstones.delete('a');
  assert.deepEqual([...new Tombstones(db, 'recordings', NOW).entries], []);
  tombstones.set('a', fileEntry('second'), NOW);
  tombstones.set('a', fileEntry('third'), NOW + DAY);
  const later = new Tombstones(db, 'recordings', NOW + 180 * DAY + 1);
  assert.deepEqual([...later.entries], [['a', fileEntry('third')]]);
});

void test('a removal that could not be written down has left no tombstone, and a tombstone that goes is back', (t) => {
  const db = stateFor(t);
  const tombstones = new Tombstones(db, 'recordings', NOW);
  tombstones.set('kept', fileEntry('kept'), NOW);
  assert.throws(
    () =>
      db.transaction(() => {
        tombstones.delete('kept');
        tombstones.set('new', fileEntry('new'), NOW);
        throw new Error('the disk is full');
      }),
    /the disk is full/,
  );
  assert.deepEqual([...tombstones.entries.keys()], ['kept']);
});

void test('a disk that can not be written does not prevent a start: what is too old goes at the next one', (t) => {
  const db = stateFor(t);
  new Tombstones(db, 'recordings', NOW).set('old', fileEntry('old'), NOW);
  const mock = t.mock.method(db, 'transaction', () => {
    throw new StateError('no space left');
  });
  assert.deepEqual([...new Tombstones(db, 'recordings', NOW + 181 * DAY).entries], []);
  mock.mock.restore();
  assert.deepEqual([...new Tombstones(db, 'recordings', NOW).entries.keys()], ['old']);
});
