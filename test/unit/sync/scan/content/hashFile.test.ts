import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { type Stamp, stampOf } from '#core/manifest/stamp.ts';
import { Folder } from '#host/fs/folder.ts';
import { hashFile } from '#sync/scan/content/hashFile.ts';
import { ChunkLists } from '#sync/transfer/chunkLists.ts';

const MEBIBYTE = 1024 * 1024;

void describe("A file's hash", () => {
  let place: string;
  let folder: Folder;
  const at = (name: string): string => path.join(place, name);
  const stampNow = (name: string): Stamp => stampOf(statSync(at(name), { bigint: true }));
  beforeEach(() => {
    place = mkdtempSync(path.join(os.tmpdir(), 'xds-hash-'));
    folder = Folder.openRoot(place);
  });
  afterEach(() => {
    folder.close();
    rmSync(place, { recursive: true });
  });

  void it('is that of all its bytes, whichever way they are read', async () => {
    for (const size of [0, 1, 256 * 1024, 256 * 1024 + 1, MEBIBYTE, 2 * MEBIBYTE + 5]) {
      const content = Buffer.alloc(size, 'as long as no piece is like the next');
      writeFileSync(at('file'), content);
      const expected = createHash('sha256').update(content).digest('hex');
      assert.equal(await hashFile(folder, 'file', stampNow('file')), expected, `${size} bytes`);
    }
  });

  void it('is that of the version that was asked for, or none', async () => {
    writeFileSync(at('file'), 'one');
    const before = stampNow('file');
    writeFileSync(at('file'), 'another');
    assert.equal(await hashFile(folder, 'file', before), undefined);
  });

  void it('is none when the file changes while it is read', async () => {
    writeFileSync(at('file'), Buffer.alloc(4 * MEBIBYTE));
    const hashed = hashFile(folder, 'file', stampNow('file'));
    // A large file is read in later turns of the loop: nothing of it was read yet.
    appendFileSync(at('file'), 'more');
    assert.equal(await hashed, undefined);
  });

  void it('is none while a program has the file open for writing', async () => {
    writeFileSync(at('file'), 'half of it');
    const writer = openSync(at('file'), 'r+');
    try {
      assert.equal(await hashFile(folder, 'file', stampNow('file')), undefined);
    } finally {
      closeSync(writer);
    }
    assert.notEqual(await hashFile(folder, 'file', stampNow('file')), undefined);
  });

  void it('is none where there is something else than a file', async () => {
    mkdirSync(at('folder'));
    assert.equal(await hashFile(folder, 'folder', stampNow('folder')), undefined);
  });

  void it('comes with the chunks of a large file, of the same pass', async () => {
    const content = Buffer.alloc(8 * MEBIBYTE + 3, 'as long as no piece is like the next');
    writeFileSync(at('large'), content);
    writeFileSync(at('small'), content.subarray(0, 8 * MEBIBYTE - 1));
    const lists = new ChunkLists();
    const listing = { lists, before: 'unknown' };
    const hash = (await hashFile(folder, 'large', stampNow('large'), { listing })) ?? '';
    const list = lists.get(hash);
    assert.equal(
      list?.lengths.reduce((sum, length) => sum + length, 0),
      content.length,
    );
    const small = (await hashFile(folder, 'small', stampNow('small'), { listing })) ?? '';
    assert.equal(lists.get(small), undefined);
  });

  void it('is not made further once its reader is not wanted any more', async () => {
    writeFileSync(at('file'), Buffer.alloc(4 * MEBIBYTE));
    const abort = new AbortController();
    const hashed = hashFile(folder, 'file', stampNow('file'), { signal: abort.signal });
    abort.abort(new Error('the program ends'));
    await assert.rejects(hashed, /the program ends/);
  });
});
