import assert from 'node:assert/strict';
import { chmodSync, chownSync, closeSync, fstatSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { setMetadata } from '#host/fs/metadata.ts';
import { fileEntry, folderEntry } from '../../../support/unit/applyPlace.ts';
import { openFolder } from '../../../support/unit/openFolder.ts';

const isRoot = process.getuid?.() === 0;

function opened(t: TestContext, kind: 'file' | 'folder'): { at: string; fd: number } {
  const at = path.join(openFolder(t).path, kind);
  if (kind === 'file') writeFileSync(at, 'a');
  else mkdirSync(at);
  const fd = openSync(at, 'r');
  t.after(() => closeSync(fd));
  return { at, fd };
}

void test('a file gets its mode and its time to the nanosecond', (t) => {
  const { fd } = opened(t, 'file');
  for (const mtime of ['1700000000123456789', '0', '4000000000000000001']) {
    setMetadata(fd, { ...fileEntry('a', 0o640), mtime });
    const { mode, mtimeNs } = fstatSync(fd, { bigint: true });
    assert.deepEqual([mode & 0o7777n, String(mtimeNs)], [0o640n, mtime]);
  }
});

void test('what is right already is not touched: the ctime stays', (t) => {
  const { fd } = opened(t, 'file');
  const entry = { ...fileEntry('a', 0o640), uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  setMetadata(fd, entry);
  const { ctimeNs } = fstatSync(fd, { bigint: true });
  setMetadata(fd, entry);
  assert.equal(fstatSync(fd, { bigint: true }).ctimeNs, ctimeNs);
});

void test('a folder gets its mode with the bit that hands its group on, and keeps its own time', (t) => {
  const { fd } = opened(t, 'folder');
  const { mtimeNs } = fstatSync(fd, { bigint: true });
  setMetadata(fd, folderEntry(0o2775));
  const stat = fstatSync(fd, { bigint: true });
  assert.deepEqual([stat.mode & 0o7777n, stat.mtimeNs], [0o2775n, mtimeNs]);
});

void test('an owner is set last, also where the object belongs to another user', { skip: !isRoot }, (t) => {
  for (const kind of ['file', 'folder'] as const) {
    const { at, fd } = opened(t, kind);
    chownSync(at, 4711, 4712);
    chmodSync(at, 0o600);
    const entry = kind === 'file' ? fileEntry('a', 0o664) : folderEntry(0o2775);
    setMetadata(fd, { ...entry, uid: 4713, gid: 4714 });
    const { mode, uid, gid } = fstatSync(fd);
    assert.deepEqual([mode & 0o7777, uid, gid], [entry.mode, 4713, 4714], kind);
  }
});

void test('a time that the file system can not hold is an error, not a change in every pass', (t) => {
  const { fd } = opened(t, 'file');
  const far = { ...fileEntry('a'), mtime: String(2n ** 62n * 1_000_000_000n) };
  assert.throws(
    () => setMetadata(fd, far),
    /can't hold the file's time \(4611686018427387904 s since 1970, at most /,
  );
});
