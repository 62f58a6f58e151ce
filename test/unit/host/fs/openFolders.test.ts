import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { OpenFolders } from '#host/fs/openFolders.ts';
import { handlesIn } from '../../../support/unit/handlesIn.ts';

function rootWith(t: TestContext, ...folders: string[]): string {
  const root = mkdtempSync(path.join(os.tmpdir(), 'xds-open-'));
  t.after(() => rmSync(root, { recursive: true }));
  for (const folder of folders) mkdirSync(path.join(root, folder), { recursive: true });
  return root;
}

void test('folders are opened one below the other, once, and closed together', (t) => {
  const root = rootWith(t, 'a/b/c');
  {
    using open = new OpenFolders(root);
    assert.equal(open.get(''), open.root);
    assert.equal(open.get('a/b/c'), open.get('a/b/c'));
    assert.equal(handlesIn(root).length, 4);
    for (const missing of ['a/none', 'a/none/deeper'])
      assert.throws(() => open.get(missing), { code: 'ENOENT' });
  }
  assert.deepEqual(handlesIn(root), []);
});

void test('no part of a path may be a link or a file', (t) => {
  const root = rootWith(t, 'a', 'b/c');
  symlinkSync('../b', path.join(root, 'a/link'));
  writeFileSync(path.join(root, 'a/file'), '');
  using open = new OpenFolders(root);
  for (const wrong of ['a/link', 'a/link/c', 'a/file', 'a/file/x'])
    assert.throws(() => open.get(wrong), { code: 'ENOTDIR' }, wrong);
});

void test('a path that changed is opened again once it was forgotten, with all below it and nothing beside it', (t) => {
  const root = rootWith(t, 'a/b', 'ab', 'other/b');
  using open = new OpenFolders(root);
  const [b, beside] = [open.get('a/b'), open.get('ab')];
  renameSync(path.join(root, 'a'), path.join(root, 'old'));
  renameSync(path.join(root, 'other'), path.join(root, 'a'));
  assert.equal(open.get('a/b'), b, 'it is the one that was opened');
  open.forget('a');
  assert.notEqual(open.get('a/b'), b);
  assert.equal(open.get('ab'), beside);
});

void test('few are open at once, however many there are, and those above the last one stay', (t) => {
  const many = Array.from({ length: 200 }, (_, number) => `deep/er/${number}`);
  const root = rootWith(t, ...many);
  using open = new OpenFolders(root);
  const above = open.get('deep/er');
  for (const folder of many) {
    open.get(folder).list();
    assert.ok(handlesIn(root).length <= 129, folder);
  }
  assert.equal(open.get('deep/er'), above);
  assert.deepEqual(open.get('deep/er/0').list(), []);
});

void test('of two folders both are open, whichever of them was opened when', (t) => {
  const many = Array.from({ length: 128 }, (_, number) => `d${number}`);
  const deep = (name: string): string =>
    Array.from({ length: 20 }, (_, depth) => `${name}${depth}`).join('/');
  const root = rootWith(t, ...many, deep('a'), deep('b'));
  for (const known of [[deep('a')], [deep('b')], [deep('a'), deep('b')], []]) {
    using open = new OpenFolders(root);
    // The known ones are the oldest, and the next ones to be closed.
    for (const folder of [...known, ...many.slice(known.length * 20)]) open.get(folder);
    const [one, other] = open.both(deep('a'), deep('b'));
    assert.deepEqual([one.list(), other.list()], [[], []]);
  }
});
