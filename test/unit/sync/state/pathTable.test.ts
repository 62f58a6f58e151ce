import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { DamagedState } from '#sync/state/stateError.ts';
import { PathTable } from '#sync/state/pathTable.ts';
import { fileEntry, folderEntry, linkEntry } from '../../../support/unit/applyPlace.ts';
import { stateFileFor, stateFor } from '../../../support/unit/stateFor.ts';

const a = fileEntry('a');

void test('every entry comes back as it was, with what the table has besides, under every name', (t) => {
  const db = stateFor(t);
  const rows = [
    { path: 'a', entry: a, extra: 'stamp of a' },
    { path: 'caf\udce9', entry: folderEntry(), extra: '' },
    { path: "b'; DROP TABLE content; --\n", entry: linkEntry('漢/字'), extra: 'stamp' },
  ];
  const table = new PathTable(db, 'content', 'files');
  for (const { path, entry, extra } of rows) table.set(path, entry, extra);
  const byPath = (all: Iterable<{ path: string }>): object[] =>
    [...all].sort((one, other) => (one.path < other.path ? -1 : 1));
  assert.deepEqual(byPath(table.rows()), byPath(rows));
  assert.deepEqual([...new PathTable(db, 'content', 'moh').rows()], []);
  table.set('a', folderEntry(), 'another');
  table.delete('caf\udce9');
  assert.deepEqual(
    [...table.rows()].find(({ path }) => path === 'a'),
    { path: 'a', entry: folderEntry(), extra: 'another' },
  );
  assert.equal([...table.rows()].length, 2);
});

void test('each table keeps what it is for', (t) => {
  const db = stateFor(t);
  for (const [name, extra, read] of [
    ['ledger', undefined, ''],
    ['tombstones', 42, 42],
    ['origins', '-5000', '-5000'],
  ] as const) {
    const table = new PathTable(db, name, 'files');
    table.set('a', a, extra);
    assert.deepEqual([...table.rows()], [{ path: 'a', entry: a, extra: read }], name);
  }
});

void test('an entry that an older version took from a peer, and that makes no sense, is left out', (t) => {
  const db = stateFor(t);
  const table = new PathTable(db, 'ledger', 'files');
  table.set('a', a);
  table.set('b', { ...a, size: -1 });
  table.set('c', { ...a, type: 'device' } as unknown as typeof a);
  assert.deepEqual(
    [...table.rows()].map(({ path }) => path),
    ['a'],
  );
  assert.equal(db.damaged.aborted, false);
});

void test('a row that no version wrote is damage', (t) => {
  const file = stateFileFor(t);
  const db = stateFor(t, file);
  const foreign = new DatabaseSync(file);
  foreign.prepare('INSERT INTO ledger VALUES (?, ?, ?)').run('files', Buffer.from('a'), '{"type": "fi');
  foreign.close();
  assert.throws(() => [...new PathTable(db, 'ledger', 'files').rows()], DamagedState);
  assert.ok(db.damaged.aborted);
});

void test('a reader that has had enough leaves nothing open', (t) => {
  const db = stateFor(t);
  const table = new PathTable(db, 'ledger', 'files');
  for (const name of ['a', 'b', 'c']) table.set(name, a);
  for (const row of table.rows()) {
    assert.ok(row.path);
    break;
  }
  // With a statement open this would fail: the table is locked.
  db.prepare('DROP TABLE ledger').run();
});
