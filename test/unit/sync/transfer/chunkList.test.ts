import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import * as fc from 'fast-check';
import { type ChunkList, ChunkLister, digestAt, listChunks } from '#sync/transfer/chunkList.ts';
import { ChunkLists } from '#sync/transfer/chunkLists.ts';
import { sameBytes } from '../../../support/unit/sameBytes.ts';

const folder = mkdtempSync(path.join(os.tmpdir(), 'xds-chunks-'));
after(() => rmSync(folder, { recursive: true }));

const CONTENT = sameBytes('content', 900_000);

async function listOf(content: Uint8Array): Promise<ChunkList> {
  const lister = ChunkLister.of(content.length);
  lister?.add(content);
  const list = await lister?.end();
  assert.ok(list);
  return list;
}

void test('the list has the digest and the length of every chunk', async () => {
  const { digests, lengths } = await listOf(CONTENT);
  assert.equal(digests.length, 16 * lengths.length);
  let at = 0;
  for (const [number, length] of lengths.entries()) {
    const digest = createHash('sha256')
      .update(CONTENT.subarray(at, (at += length)))
      .digest();
    assert.equal(digestAt(digests, number), digest.subarray(0, 12).toString('base64'));
  }
  assert.equal(at, CONTENT.length);
});

void test('bytes that pass by in pieces of any size, in a buffer that is used again, give the list of the whole file', async () => {
  const expected = await listOf(CONTENT);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 300_000 }), { minLength: 1 }), async (lengths) => {
      const lister = ChunkLister.of(CONTENT.length);
      const buffer = Buffer.alloc(300_000);
      for (let at = 0, turn = 0; at < CONTENT.length; turn++) {
        const length = CONTENT.copy(buffer, 0, at, at + (lengths[turn % lengths.length] ?? 1));
        lister?.add(buffer.subarray(0, length));
        buffer.fill(0);
        at += length;
      }
      assert.deepEqual(await lister?.end(), expected);
    }),
    { numRuns: 20 },
  );
});

void test('a file on disk has the list of its content', async () => {
  const file = path.join(folder, 'file');
  const content = sameBytes('file', 3_500_000);
  writeFileSync(file, content);
  const fd = openSync(file, 'r');
  assert.deepEqual(await listChunks(fd, content.length), await listOf(content));
  assert.equal(await listChunks(fd, content.length + 1), undefined);
  closeSync(fd);
});

void test('a file of another size than was said has no list', async () => {
  const lister = ChunkLister.of(1000);
  lister?.add(Buffer.alloc(999));
  assert.equal(await lister?.end(), undefined);
});

void test('chunks of another list count as if their content had passed by', async () => {
  const list = await listOf(CONTENT);
  const [first = 0, second = 0] = list.lengths;
  const lister = ChunkLister.of(CONTENT.length);
  lister?.add(CONTENT.subarray(0, first + second));
  lister?.addListed(list, 2, list.lengths.length - 2);
  assert.deepEqual(await lister?.end(), list);
});

void test('lists of few megabytes are remembered, and one that was taken serves once', () => {
  const lists = new ChunkLists();
  const list = { usual: 1, digests: 'x'.repeat(100_000), lengths: new Uint32Array(10_000) };
  for (let number = 0; number < 40; number++) lists.add(String(number), list);
  assert.equal(lists.get('0'), undefined);
  assert.equal(lists.get('10'), undefined);
  assert.equal(lists.get('20'), list);
  assert.equal(lists.take('39'), list);
  assert.equal(lists.take('39'), undefined);
  lists.add('39', list);
  lists.add('39', list);
  assert.equal(lists.get('20'), list, 'a list that is replaced counts once');
});
