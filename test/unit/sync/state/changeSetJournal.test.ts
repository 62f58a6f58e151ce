import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChangeSet } from '#core/changeSet.ts';
import { Journal } from '#sync/state/changeSetJournal.ts';
import { DamagedState } from '#sync/state/stateError.ts';
import { fileEntry, folderEntry, linkEntry } from '../../../support/unit/applyPlace.ts';
import { stateFileFor, stateFor } from '../../../support/unit/stateFor.ts';

const staged = { name: '20270101T000000000Z-0.1', inode: '18446744073709551615' };
const reason = 'new on Main';
const SET: ChangeSet = {
  id: '20270101T000000000Z-0',
  directory: 'files',
  mds: 'mds1',
  steps: [
    { kind: 'put', path: 'new', entry: fileEntry('a'), expect: undefined, staged, reason },
    { kind: 'put', path: 'over a folder', entry: linkEntry('a'), expect: '', staged, reason },
    { kind: 'put', path: 'caf\udce9', entry: folderEntry(), expect: '1:2:3:4:5', staged, reason },
    { kind: 'metadata', path: 'b', entry: fileEntry('b'), expect: '1:2', reason },
    { kind: 'remove', path: 'c', entry: fileEntry('c'), expect: '1:2', reason },
    { kind: 'move', path: 'd', from: 'e', entry: fileEntry('d'), expect: '1:2', reason },
    { kind: 'keep', path: 'f', entry: fileEntry('f'), staged, reason },
  ],
};

void test('a change set that was cut off is found as it was, by its directory, the oldest first', (t) => {
  const file = stateFileFor(t);
  const db = stateFor(t, file);
  const journal = new Journal(db);
  const { mds: _, ...own } = SET;
  const older = { ...own, id: '20260101T000000000Z-0', steps: [] };
  journal.begin(SET);
  journal.begin(older);
  journal.begin({ ...SET, id: '20270101T000000000Z-1', directory: 'moh' });
  db.close();
  const open = new Journal(stateFor(t, file)).open('files');
  // For a path where nothing may be, JSON has no undefined: the key is missing.
  assert.deepEqual(open, [older, JSON.parse(JSON.stringify(SET))]);
});

void test('a change set ends together with what is recorded of it, or not at all', (t) => {
  const db = stateFor(t);
  const journal = new Journal(db);
  journal.begin(SET);
  assert.throws(
    () =>
      journal.end(SET.id, () => {
        db.setMeta('record', 'half');
        throw new Error('the disk is full');
      }),
    /the disk is full/,
  );
  assert.equal(db.meta('record'), undefined);
  assert.equal(journal.open('files').length, 1);
  journal.end(SET.id, () => db.setMeta('record', 'whole'));
  assert.equal(db.meta('record'), 'whole');
  assert.deepEqual(journal.open('files'), []);
});

void test('a journal that can not be understood is damage: how far its change set came is unknown', (t) => {
  for (const text of ['{', '{}', JSON.stringify({ ...SET, steps: [{ kind: 'put', path: 'a' }] })]) {
    const db = stateFor(t);
    db.prepare("INSERT INTO journal VALUES ('1', 'files', ?)").run(text);
    const journal = new Journal(db);
    assert.deepEqual(journal.open('moh'), []);
    assert.throws(() => journal.open('files'), DamagedState, text);
    assert.ok(db.damaged.aborted);
  }
});
