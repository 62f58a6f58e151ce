import assert from 'node:assert/strict';
import {
  lutimesSync,
  lstatSync,
  mkdirSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { stampOf } from '#core/manifest/stamp.ts';
import { stampOfVersion } from '#host/fs/listing/nameVersion.ts';
import { openFolder } from '../../../../support/unit/openFolder.ts';

void test('the version of a name gives the same stamp as a stat of it', (t) => {
  const { folder, path: at } = openFolder(t);
  const stamped = (name: string): void => {
    const found = folder.version(name);
    assert.ok(found);
    assert.equal(stampOfVersion(found), stampOf(lstatSync(path.join(at, name), { bigint: true })), name);
  };
  for (const [name, time] of [
    ['new', 1_700_000_000.25],
    ['ä ü', 0],
    ['old', -86_400.5],
    ['n'.repeat(255), 4_000_000_000],
  ] as const) {
    writeFileSync(path.join(at, name), name);
    utimesSync(path.join(at, name), time, time);
    stamped(name);
  }
  truncateSync(path.join(at, 'new'), 5 * 2 ** 32);
  stamped('new');
  symlinkSync('new', path.join(at, 'link'));
  lutimesSync(path.join(at, 'link'), 1, 1);
  stamped('link');
  assert.equal(folder.version('missing'), undefined);
  assert.equal(folder.version('n'.repeat(400)), undefined);
  // It would be looked for under this name.
  writeFileSync(path.join(at, 'caf\ufffd'), '');
  assert.equal(folder.version('caf\udce9'), undefined);
});

void test('a path is missing when a part of it is, or is no folder', (t) => {
  const { folder, path: at } = openFolder(t);
  mkdirSync(path.join(at, 'f'));
  writeFileSync(path.join(at, 'f', 'there'), '');
  const missing = ['f/away', 'away/f', 'f/there/below', 'away'];
  const uncertain = ['f/there', 'f', `f/${'n'.repeat(300)}`, `f/${'n'.repeat(400)}`, 'f/caf\udce9'];
  assert.deepEqual(
    [...missing, ...uncertain].map((name) => folder.isMissing(name)),
    [...missing.map(() => true), ...uncertain.map(() => false)],
  );
});
