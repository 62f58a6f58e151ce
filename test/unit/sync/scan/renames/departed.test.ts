import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FileVersion } from '#host/fs/listing/fileVersion.ts';
import { stampOfVersion } from '#host/fs/listing/nameVersion.ts';
import { Departed } from '#sync/scan/renames/departed.ts';
import { fileEntry } from '../../../../support/unit/applyPlace.ts';

test('a version is that of a vanished file when all of it is the same, and its inode is exact', () => {
  const version: FileVersion = { inode: 7, size: 1, ctime: [2, 3], mtime: [4, 5], device: '6' };
  const huge: FileVersion = { ...version, inode: 2 ** 53 };
  const departed = new Departed();
  assert.equal(departed.stampOf(version), undefined);
  for (const each of [version, huge]) departed.add(`old ${each.inode}`, stampOfVersion(each), fileEntry('a'));
  assert.equal(departed.stampOf(version), stampOfVersion(version));
  assert.equal(departed.stampOf({ ...version, ctime: [2, 4] }), undefined);
  assert.equal(departed.stampOf({ ...version, size: 2 }), undefined);
  assert.equal(departed.stampOf(huge), undefined);
});
