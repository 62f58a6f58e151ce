import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { Folder } from '#host/fs/folder.ts';
import { makeDurable, syncFileSystem, syncName } from '#host/fs/fsync.ts';
import { OpenFolders } from '#host/fs/openFolders.ts';
import { handlesIn } from '../../../support/unit/handlesIn.ts';
import { openFolder } from '../../../support/unit/openFolder.ts';

void test('what is no longer there needs not be made durable: its removal is, with the folder above', async (t) => {
  const { path: at } = openFolder(t);
  mkdirSync(path.join(at, 'a'));
  writeFileSync(path.join(at, 'a/file'), '');
  symlinkSync('a', path.join(at, 'link'));
  const before = handlesIn(at);
  {
    using open = new OpenFolders(at);
    const folders = new Set(['', 'a', 'gone', 'gone/deeper', 'link', 'a/file']);
    await makeDurable(open, folders, new Set(['a/file', 'a/gone', 'gone/file', 'a/file/x', 'link']));
  }
  assert.deepEqual(handlesIn(at), before);
});

void test('a disk that fails is an error, whether one file is synced or the whole file system', async (t) => {
  const { path: at } = openFolder(t);
  writeFileSync(path.join(at, 'file'), '');
  using open = new OpenFolders(at);
  const mock = t.mock.method(Folder.prototype, 'openFile', () => {
    throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO' });
  });
  await assert.rejects(makeDurable(open, new Set(), new Set(['file'])), { code: 'EIO' });
  await assert.rejects(syncName(open.root, 'file'), { code: 'EIO' });
  mock.mock.restore();
  const closed = Folder.openRoot(at);
  closed.close();
  await assert.rejects(syncFileSystem(Object.assign(closed, { fd: 99_999 })), /^Error: sync -f: EBADF/);
});

void test('many are synced at once, with the same result', async (t) => {
  const { path: at } = openFolder(t);
  const names = Array.from({ length: 20 }, (_, number) => `file ${number}`);
  for (const name of names) writeFileSync(path.join(at, name), name);
  using open = new OpenFolders(at);
  await makeDurable(open, new Set(['']), new Set([...names, 'gone']));
});
