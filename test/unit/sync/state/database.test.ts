import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import { Database } from '#sync/state/database.ts';
import { Ledger } from '#sync/state/ledger.ts';
import { Tombstones } from '#sync/state/tombstones.ts';
import { fileEntry } from '../../../support/unit/applyPlace.ts';

function fileFor(t: TestContext): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'xds-state-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return path.join(folder, 'state.sqlite');
}

void test('a state of a newer version is refused and left as it is', (t) => {
  const file = fileFor(t);
  const newer = new DatabaseSync(file);
  newer.exec('CREATE TABLE future (a); PRAGMA user_version = 99');
  newer.close();
  assert.throws(() => new Database(file), /newer version .*schema 99/);
  assert.deepEqual(
    readdirSync(path.dirname(file)).filter((name) => name.includes('damaged')),
    [],
  );
});

void test('a new state has another id, and its sequence counts its changes', (t) => {
  const [one, two] = [new Database(fileFor(t)), new Database(fileFor(t))];
  assert.notEqual(one.stateId, two.stateId);
  assert.equal(one.stateId, one.stateId);
  one.advance();
  one.advance();
  assert.deepEqual([one.sequence, two.sequence], [2, 0]);
  one.close();
  two.close();
});

void test('a transaction that fails leaves nothing behind, neither on disk nor in memory', (t) => {
  const file = fileFor(t);
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

void test('a ledger keeps names that are not UTF-8 byte for byte', (t) => {
  const file = fileFor(t);
  const db = new Database(file);
  new Ledger(db, 'files').set('caf\udce9', fileEntry('a'));
  db.close();
  const again = new Database(file);
  assert.deepEqual([...new Ledger(again, 'files').entries.keys()], ['caf\udce9']);
  again.close();
});

void test('a ledger shares entries that are equal to known ones, and keeps all others', (t) => {
  const file = fileFor(t);
  const db = new Database(file);
  const first = new Ledger(db, 'files');
  for (const each of ['same', 'changed', 'other owner', 'gone here']) first.set(each, fileEntry(each));
  const ledger = new Ledger(db, 'files');
  const known = new Map([
    ['same', fileEntry('same')],
    ['changed', fileEntry('something else')],
    ['other owner', { ...fileEntry('other owner'), uid: 4711 }],
    ['not agreed', fileEntry('not agreed')],
  ]);
  for (const [path, entry] of known)
    assert.equal(ledger.alike(path, entry) === ledger.entries.get(path), path === 'same');
  ledger.share(known.keys(), (each) => known.get(each));
  assert.equal(ledger.entries.get('same'), known.get('same'));
  assert.deepEqual(new Map(ledger.entries), new Map(first.entries));
  assert.equal(ledger.files, 4);
  assert.throws(
    () =>
      db.transaction(() => {
        ledger.delete('same');
        throw new Error('the disk is full');
      }),
    /the disk is full/,
  );
  assert.deepEqual(new Map(ledger.entries), new Map(first.entries));
  db.close();
});
