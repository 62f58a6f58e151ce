import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Database } from '#sync/state/database.ts';
import { Ledger } from '#sync/state/ledger.ts';
import { Tombstones } from '#sync/state/tombstones.ts';
import { fileEntry } from '../../../support/unit/applyPlace.ts';
import { stateFileFor } from '../../../support/unit/stateFor.ts';

void test('a new state has another id, and its sequence counts its changes', (t) => {
  const [one, two] = [new Database(stateFileFor(t)), new Database(stateFileFor(t))];
  assert.notEqual(one.stateId, two.stateId);
  assert.equal(one.stateId, one.stateId);
  one.advance();
  one.advance();
  assert.deepEqual([one.sequence, two.sequence], [2, 0]);
  one.close();
  two.close();
});

void test('a transaction that fails leaves nothing behind, neither on disk nor in memory', (t) => {
  const file = stateFileFor(t);
  const db = new Database(file);
  const ledger = new Ledger(db, 'files');
  const tombstones = new Tombstones(db, 'files', Date.now());
  ledger.set('kept', fileEntry('kept'));
  assert.throws(
    () =>
      db.transaction(() => {
        ledger.set('lost', fileEntry('lost'));
        ledger.delete('kept');
        tombstones.set('lost', fileEntry('lost'), Date.now());
        throw new Error('the disk is full');
      }),
    /the disk is full/,
  );
  assert.deepEqual([...ledger.entries.keys()], ['kept']);
  assert.equal(ledger.files, 1);
  assert.equal(tombstones.entries.size, 0);
  db.close();
  const again = new Database(file);
  assert.deepEqual([...new Ledger(again, 'files').entries.keys()], ['kept']);
  again.close();
});
