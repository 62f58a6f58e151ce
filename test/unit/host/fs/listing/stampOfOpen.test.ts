import assert from 'node:assert/strict';
import { closeSync, fstatSync, openSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { stampOf } from '#core/manifest/stamp.ts';
import { setMtime } from '#host/fs/libc.ts';
import { VersionReader } from '#host/fs/listing/fileVersion.ts';
import { STATX, STATX_BYTES } from '#host/fs/listing/statx.ts';
import { stampOfOpen } from '#host/fs/listing/stampOfOpen.ts';
import { openFolder } from '../../../../support/unit/openFolder.ts';

void test('an open file has the stamp that its stat makes, whatever its time and size', (t) => {
  const file = path.join(openFolder(t).path, 'file');
  for (const content of ['', 'content', 'x'.repeat(100_000)]) {
    writeFileSync(file, content);
    const fd = openSync(file, 'r');
    for (const mtime of [0n, 1n, 999_999_999n, 1_700_000_000_000_000_001n, 4_300_000_000_123_456_789n, -1n]) {
      setMtime(fd, mtime);
      assert.equal(stampOfOpen(fd), stampOf(fstatSync(fd, { bigint: true })));
    }
    closeSync(fd);
  }
  assert.throws(() => stampOfOpen(9_999), { code: 'EBADF' });
});

void test('an inode is exact, also where several are one number', () => {
  const words = new Uint32Array(STATX_BYTES / Uint32Array.BYTES_PER_ELEMENT);
  const version = new VersionReader(words, STATX);
  for (const inode of [1n, 2n ** 32n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 64n - 1n]) {
    words[STATX.inode] = Number(inode & 0xffff_ffffn);
    words[STATX.inode + 1] = Number(inode >> 32n);
    assert.equal(version.inodeText, String(inode));
  }
});
