import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import { History } from '#sync/state/history.ts';
import { Ledger } from '#sync/state/ledger.ts';
import { DamagedState } from '#sync/state/stateError.ts';
import {
  isDamage,
  lastSetAside,
  openStateFile,
  setAsideAlarm,
  setAsideState,
} from '#sync/state/stateFile.ts';
import { fileEntry } from '../../../support/unit/applyPlace.ts';
import { stateFileFor, stateFor } from '../../../support/unit/stateFor.ts';

/** The tables of the first version, with a row of each kind that is read at a start. */
const FIRST_VERSION = `
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE content (directory TEXT, path BLOB, stamp TEXT NOT NULL, entry TEXT NOT NULL, PRIMARY KEY (directory, path)) STRICT, WITHOUT ROWID;
CREATE TABLE ledger (directory TEXT, path BLOB, entry TEXT NOT NULL, PRIMARY KEY (directory, path)) STRICT, WITHOUT ROWID;
CREATE TABLE tombstones (directory TEXT, path BLOB, entry TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (directory, path)) STRICT, WITHOUT ROWID;
CREATE TABLE journal (id TEXT PRIMARY KEY, directory TEXT NOT NULL, change_set TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE history (number INTEGER PRIMARY KEY, at INTEGER NOT NULL, mds TEXT NOT NULL, directory TEXT NOT NULL, change_set TEXT NOT NULL, kind TEXT NOT NULL, detail TEXT NOT NULL) STRICT;
INSERT INTO meta VALUES ('state-id', 'the same'), ('sequence', '41');
INSERT INTO ledger VALUES ('files', CAST('a' AS BLOB), '${JSON.stringify(fileEntry('a'))}');
INSERT INTO history VALUES (1, 5, 'mds1', 'files', 'c', 'put', 'a: new on Main');
PRAGMA user_version = 1;
`;

void describe('The file of the state', () => {
  void it('is made with its folder, and for this user alone', (t) => {
    const file = path.join(path.dirname(stateFileFor(t)), 'new/deep/state.sqlite');
    openStateFile(file).close();
    assert.equal(statSync(path.dirname(file)).mode & 0o777, 0o700);
    openStateFile(file).close();
  });

  void it('of the first version is taken over with all that is in it', (t) => {
    const file = stateFileFor(t);
    const first = new DatabaseSync(file);
    first.exec(FIRST_VERSION);
    first.close();
    for (let start = 0; start < 2; start++) {
      const db = stateFor(t, file);
      assert.deepEqual([db.stateId, db.sequence], ['the same', 41]);
      assert.deepEqual([...new Ledger(db, 'files').entries], [['a', fileEntry('a')]]);
      assert.deepEqual(
        new History(db).newest(9).map(({ at, path: of, save }) => [at, of, save]),
        [[5, null, null]],
      );
      db.close();
    }
    // The version before can open it again.
    const again = new DatabaseSync(file);
    assert.equal(again.prepare('PRAGMA user_version').get()?.['user_version'], 1);
    again.close();
  });

  void it('of a newer version is refused and left as it is', (t) => {
    const file = stateFileFor(t);
    const newer = new DatabaseSync(file);
    newer.exec('CREATE TABLE future (a); PRAGMA user_version = 2');
    newer.close();
    assert.throws(
      () => openStateFile(file),
      (error) => !(error instanceof DamagedState) && /newer version .*schema 2/.test(String(error)),
    );
    const left = new DatabaseSync(file);
    assert.equal(
      left.prepare("SELECT count(*) AS n FROM sqlite_schema WHERE name = 'future'").get()?.['n'],
      1,
    );
    left.close();
  });

  void it('is damaged when it is empty or no database, and stays to be looked at', (t) => {
    for (const content of ['', 'this is no database '.repeat(100)]) {
      const file = stateFileFor(t);
      writeFileSync(file, content);
      assert.throws(() => openStateFile(file), DamagedState);
      assert.equal(readFileSync(file, 'utf8'), content);
    }
  });

  void it('is not damaged because of an error of the disk or of a statement', (t) => {
    const db = openStateFile(stateFileFor(t));
    assert.throws(
      () => db.exec("INSERT INTO meta VALUES ('a', NULL)"),
      (error) => !isDamage(error),
    );
    db.close();
    assert.ok(isDamage(Object.assign(new Error('corrupt'), { errcode: 11 | (1 << 8) })));
    assert.ok(isDamage(Object.assign(new Error('no database'), { errcode: 26 })));
    for (const errcode of [10, 13, '11'])
      assert.equal(isDamage(Object.assign(new Error(), { errcode })), false);
    assert.equal(isDamage({ errcode: 11 }), false);
  });
});

void describe('A damaged state', () => {
  void it('is set aside with what belongs to it, beside an earlier one', (t) => {
    const file = stateFileFor(t);
    for (const content of ['first', 'second']) {
      writeFileSync(file, content);
      writeFileSync(`${file}-wal`, `wal of the ${content}`);
      setAsideState(file, 1_700_000_000_000);
      assert.equal(existsSync(file) || existsSync(`${file}-wal`), false);
    }
    const name = 'state.sqlite.damaged-1700000000000';
    const second = 'state.sqlite.damaged-1700000000001';
    assert.deepEqual(readdirSync(path.dirname(file)).sort(), [name, `${name}-wal`, second, `${second}-wal`]);
    assert.equal(readFileSync(path.join(path.dirname(file), `${second}-wal`), 'utf8'), 'wal of the second');
    // Lost as a whole: there is nothing to be set aside.
    setAsideState(file, 1);
  });

  void it('is found again, the last of several, until a person deletes it', (t) => {
    const file = stateFileFor(t);
    assert.equal(lastSetAside(file), undefined);
    const folder = path.dirname(file);
    for (const name of [
      'state.sqlite.damaged-5',
      'state.sqlite.damaged-1700000000000',
      'state.sqlite.damaged-1700000000000-wal',
      'state.sqlite.damaged-1800000000000-wal',
      'state.sqlite.damaged-99999999999999999',
      'state.sqlite.damaged-',
      'other.sqlite.damaged-1900000000000',
    ])
      writeFileSync(path.join(folder, name), '');
    const found = lastSetAside(file);
    assert.deepEqual(found, {
      file: path.join(folder, 'state.sqlite.damaged-1700000000000'),
      at: 1_700_000_000_000,
    });
    const { at, message } = setAsideAlarm(found ?? assert.fail());
    assert.equal(at, '2023-11-14T22:13:20.000Z');
    assert.ok(message.includes(found?.file ?? '?') && message.includes('No file is lost'));
    assert.equal(lastSetAside(path.join(folder, 'not there/state.sqlite')), undefined);
  });
});
