import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import { Versions } from '../../../../controller/versions/versions.ts';
import { Database } from '#sync/state/database.ts';
import { fileEntry } from '../../../support/unit/applyPlace.ts';

const PLACES = { compact: ['dialplan'], places: new Map<string, string>(), budget: () => 0, reserve: 0 };

function make(t: TestContext): Versions {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'xds-versions-'));
  const db = new Database(path.join(folder, 'state.sqlite'));
  t.after(() => {
    db.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return new Versions({ db, ...PLACES });
}

/** A change of a file on Main. */
function change(versions: Versions, name: string, from: string, to: string, at = 0): number {
  versions.log.append('dialplan', name, fileEntry(from), fileEntry(to), at);
  return versions.log.newest;
}

void test('what is too old is forgotten, with the contents that only it needed', (t) => {
  const versions = make(t);
  const { contents, log } = versions;
  change(versions, 'a', '1', '2', 1_000);
  const kept = change(versions, 'a', '2', '3', 2_000);
  for (const text of ['1', '2', '3']) contents.keep(fileEntry(text).hash, Buffer.from(text));
  versions.purge(1_500);
  assert.deepEqual(log.oldest, { number: kept, at: 2_000 });
  assert.equal(contents.has(fileEntry('1').hash), false);
  assert.equal(String(contents.get(fileEntry('2').hash)), '2');
  versions.purge(3_000);
  assert.equal(log.oldest, undefined);
  const { bytes } = contents;
  assert.equal(bytes, 0);
  assert.ok(change(versions, 'a', '3', '4') > kept, 'a number is never given twice');
});

void test('a state without older versions gets room for them when it is opened', (t) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'xds-versions-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'state.sqlite');
  new Database(file).close();
  const raw = new DatabaseSync(file);
  for (const table of ['revisions', 'kept_contents', 'taken_over', 'change_sets'])
    raw.exec(`DROP TABLE ${table}`);
  raw.close();
  const db = new Database(file);
  assert.equal(new Versions({ db, ...PLACES }).log.newest, 0);
  db.close();
});
