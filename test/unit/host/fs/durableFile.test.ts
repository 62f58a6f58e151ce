import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { writeFileDurably } from '#host/fs/durableFile.ts';

function folderFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'xds-durable-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

void test('a durable write replaces the whole file and leaves nothing beside it', (t) => {
  const folder = folderFor(t);
  const path = join(folder, 'a.json');
  writeFileDurably(path, 'a long first content', { mode: 0o600 });
  writeFileDurably(path, 'second', { mode: 0o600 });
  assert.equal(readFileSync(path, 'utf8'), 'second');
  assert.deepEqual(readdirSync(folder), ['a.json']);
});

void test('a durable write sets the mode that was asked for, whatever the umask and the old mode', (t) => {
  const path = join(folderFor(t), 'a');
  const umask = process.umask(0o077);
  t.after(() => process.umask(umask));
  writeFileDurably(path, 'x', { mode: 0o644 });
  assert.equal(statSync(path).mode & 0o7777, 0o644);
  chmodSync(path, 0o666);
  writeFileDurably(path, 'y', { mode: 0o600 });
  assert.equal(statSync(path).mode & 0o7777, 0o600);
});

void test('a durable write that fails leaves no temporary file and what was there before', (t) => {
  const folder = folderFor(t);
  mkdirSync(join(folder, 'occupied', 'inside'), { recursive: true });
  assert.throws(
    () => writeFileDurably(join(folder, 'occupied'), 'x', { mode: 0o600 }),
    /EISDIR|ENOTEMPTY|EEXIST/,
  );
  assert.deepEqual(readdirSync(folder), ['occupied']);
});

void test('a durable write into a missing folder throws the error of the file system', (t) => {
  assert.throws(() => writeFileDurably(join(folderFor(t), 'no', 'a'), 'x', { mode: 0o600 }), /ENOENT/);
});
