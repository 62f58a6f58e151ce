import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Entry } from '#core/manifest/entry.ts';
import { Ledger } from '#sync/state/ledger.ts';
import { fileEntry, folderEntry } from '../../../support/unit/applyPlace.ts';
import { stateFileFor, stateFor } from '../../../support/unit/stateFor.ts';

void test('a ledger keeps what was agreed on, by directory, and counts its files', (t) => {
  const file = stateFileFor(t);
  const db = stateFor(t, file);
  const ledger = new Ledger(db, 'files');
  const other = new Ledger(db, 'moh');
  ledger.set('a', fileEntry('a'));
  ledger.set('b', fileEntry('b'));
  ledger.set('folder', folderEntry());
  ledger.set('a', fileEntry('a, changed'));
  ledger.delete('b');
  ledger.delete('b');
  ledger.delete('never there');
  other.set('a', fileEntry('of moh'));
  const expected = new Map<string, Entry>([
    ['a', fileEntry('a, changed')],
    ['folder', folderEntry()],
  ]);
  assert.deepEqual(new Map(ledger.entries), expected);
  assert.equal(ledger.files, 1);
  ledger.set('a', folderEntry());
  assert.equal(ledger.files, 0);
  ledger.set('a', fileEntry('a, changed'));
  db.close();
  const again = new Ledger(stateFor(t, file), 'files');
  assert.deepEqual(new Map(again.entries), expected);
  assert.equal(again.files, 1);
});

void test('a ledger notes what has to be planned again: all at first, then what changed, undone or not', (t) => {
  const db = stateFor(t);
  const ledger = new Ledger(db, 'files');
  assert.equal(ledger.unplanned.take(), undefined);
  ledger.set('a', fileEntry('a'));
  ledger.delete('b');
  assert.deepEqual([...(ledger.unplanned.take() ?? [])], ['a', 'b']);
  assert.throws(() =>
    db.transaction(() => {
      ledger.set('a', fileEntry('other'));
      ledger.unplanned.take();
      throw new Error('the disk is full');
    }),
  );
  assert.deepEqual([...(ledger.unplanned.take() ?? [])], ['a']);
  assert.deepEqual([...(ledger.unplanned.take() ?? [])], []);
});

void test('a ledger keeps names that are not UTF-8 byte for byte', (t) => {
  const file = stateFileFor(t);
  const db = stateFor(t, file);
  new Ledger(db, 'files').set('caf\udce9', fileEntry('a'));
  db.close();
  assert.deepEqual([...new Ledger(stateFor(t, file), 'files').entries.keys()], ['caf\udce9']);
});

void test('a ledger that shares the texts of paths with another table keeps all it has', (t) => {
  const db = stateFor(t);
  const first = new Ledger(db, 'files');
  for (const each of ['same', 'changed', 'gone here']) first.set(each, fileEntry(each));
  const ledger = new Ledger(db, 'files');
  ledger.sharePaths(['same', 'changed', 'not agreed']);
  assert.deepEqual(new Map(ledger.entries), new Map(first.entries));
  assert.equal(ledger.files, 3);
  assert.throws(
    () =>
      db.transaction(() => {
        ledger.delete('same');
        throw new Error('the disk is full');
      }),
    /the disk is full/,
  );
  assert.deepEqual(new Map(ledger.entries), new Map(first.entries));
});
