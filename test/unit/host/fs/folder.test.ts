import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { Folder } from '#host/fs/folder.ts';
import { handlesIn } from '../../../support/unit/handlesIn.ts';
import { openFolder } from '../../../support/unit/openFolder.ts';

void test('a folder stays the one that was opened, whatever takes its place', (t) => {
  const { path: at, folder } = openFolder(t);
  mkdirSync(path.join(at, 'a'));
  mkdirSync(path.join(at, 'elsewhere'));
  const a = folder.open('a');
  renameSync(path.join(at, 'a'), path.join(at, 'moved'));
  symlinkSync('elsewhere', path.join(at, 'a'));
  const fd = a.createFile('file');
  writeSync(fd, 'x');
  closeSync(fd);
  a.makeFolder('folder', 0o700);
  a.close();
  assert.deepEqual(readdirSync(path.join(at, 'moved')).sort(), ['file', 'folder']);
  assert.deepEqual(readdirSync(path.join(at, 'elsewhere')), []);
});

void test('no link inside is followed, the directory itself may be one', (t) => {
  const { path: at, folder } = openFolder(t);
  mkdirSync(path.join(at, 'real'));
  writeFileSync(path.join(at, 'real/file'), 'content');
  symlinkSync('real', path.join(at, 'link'));
  symlinkSync('real/file', path.join(at, 'file link'));
  assert.throws(() => folder.open('link'), { code: 'ENOTDIR' });
  for (const open of [() => folder.openFile('file link'), () => folder.openForAppend('file link')])
    assert.throws(open, { code: 'ELOOP' });
  assert.throws(() => folder.createFile('file link'), { code: 'EEXIST' });
  const root = Folder.openRoot(path.join(at, 'link'));
  assert.deepEqual(root.list(), ['file']);
  root.close();
  assert.ok(folder.stat('link')?.isSymbolicLink());
  folder.removeFile('file link');
  assert.equal(readFileSync(path.join(at, 'real/file'), 'utf8'), 'content');
});

void test('every name that a file can have is listed, found, renamed and removed', (t) => {
  const { path: at, folder } = openFolder(t);
  const names = ['caf\udce9', 'café', '\ufffd', 'a\nb', '-rf', ' ', '\\', '\udcff\udcfe'];
  for (const name of names) closeSync(folder.createFile(name));
  assert.deepEqual(folder.list().sort(), names.toSorted());
  assert.deepEqual(
    readdirSync(at, { encoding: 'buffer' })
      .map((name) => name.toString('latin1'))
      .includes('caf\xe9'),
    true,
  );
  for (const name of names) {
    assert.ok(folder.stat(name)?.isFile(), name);
    folder.rename(name, folder, `${name}2`, 'no-replace');
    folder.removeFile(`${name}2`);
    assert.equal(folder.stat(name), undefined);
  }
  folder.makeLink('link', 'to caf\udce9');
  assert.equal(folder.readLink('link'), 'to caf\udce9');
});

void test('a fifo without a writer keeps no reader waiting', (t) => {
  const { path: at, folder } = openFolder(t);
  execFileSync('mkfifo', [path.join(at, 'fifo')]);
  closeSync(folder.openFile('fifo'));
});

void test('what is made is made new, and for this user alone', (t) => {
  const { path: at, folder } = openFolder(t);
  closeSync(folder.createFile('file'));
  assert.equal(lstatSync(path.join(at, 'file')).mode & 0o777, 0o600);
  assert.throws(() => folder.createFile('file'), { code: 'EEXIST' });
  assert.throws(() => folder.makeFolder('file', 0o700), { code: 'EEXIST' });
  assert.throws(() => folder.makeLink('file', 'x'), { code: 'EEXIST' });
  const fd = folder.openForAppend('part');
  writeSync(fd, 'ab');
  closeSync(fd);
  const again = folder.openForAppend('part');
  writeSync(again, 'c');
  closeSync(again);
  assert.equal(readFileSync(path.join(at, 'part'), 'utf8'), 'abc');
});

void test('a rename replaces, refuses to or exchanges, as it is said', (t) => {
  const { path: at, folder } = openFolder(t);
  mkdirSync(path.join(at, 'sub'));
  const sub = folder.open('sub');
  t.after(() => sub.close());
  const content = (name: string): string => readFileSync(path.join(at, name), 'utf8');
  writeFileSync(path.join(at, 'a'), 'a');
  writeFileSync(path.join(at, 'sub/b'), 'b');
  assert.throws(() => folder.rename('a', sub, 'b', 'no-replace'), { code: 'EEXIST', syscall: 'renameat2' });
  assert.throws(() => folder.rename('a', sub, 'c', 'exchange'), { code: 'ENOENT' });
  assert.throws(() => folder.rename('none', sub, 'c', 'replace'), { code: 'ENOENT' });
  folder.rename('a', sub, 'b', 'exchange');
  assert.deepEqual([content('a'), content('sub/b')], ['b', 'a']);
  folder.rename('a', sub, 'b', 'replace');
  assert.deepEqual([existsSync(path.join(at, 'a')), content('sub/b')], [false, 'b']);
  sub.rename('b', folder, 'new', 'no-replace');
  assert.equal(content('new'), 'b');
});

void test('a folder is removed only when it is empty, a name that is not there is an error', (t) => {
  const { path: at, folder } = openFolder(t);
  mkdirSync(path.join(at, 'a/b'), { recursive: true });
  assert.throws(() => folder.removeFolder('a'), { code: 'ENOTEMPTY' });
  assert.throws(() => folder.removeFile('none'), { code: 'ENOENT' });
  const before = handlesIn(at);
  assert.throws(() => folder.open('none'), { code: 'ENOENT' });
  assert.deepEqual(handlesIn(at), before);
});
