import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import * as fc from 'fast-check';
import { BlockHasher } from '#sync/transfer/blockHasher.ts';
import { BlockLists } from '#sync/transfer/blockLists.ts';
import { blockLength, hashBlocks } from '#sync/transfer/blocks.ts';

const folder = mkdtempSync(path.join(os.tmpdir(), 'xds-blocks-'));
after(() => rmSync(folder, { recursive: true }));

void test('bytes that pass by in pieces of any size, in a buffer that is used again, give the list of the whole file', async () => {
  const content = randomBytes(900_000);
  const file = path.join(folder, 'file');
  writeFileSync(file, content);
  const fd = openSync(file, 'r');
  const block = blockLength(content.length);
  const expected = { block, hashes: await hashBlocks(fd, content.length, block) };
  closeSync(fd);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 300_000 }), { minLength: 1 }), async (lengths) => {
      const hasher = BlockHasher.of(content.length);
      const buffer = Buffer.alloc(300_000);
      for (let at = 0, turn = 0; at < content.length; turn++) {
        const length = content.copy(buffer, 0, at, at + (lengths[turn % lengths.length] ?? 1));
        hasher?.add(buffer.subarray(0, length));
        buffer.fill(0);
        at += length;
      }
      assert.deepEqual(await hasher?.end(), expected);
    }),
    { numRuns: 20 },
  );
});

void test('a file of another size than was said has no list', async () => {
  const hasher = BlockHasher.of(1000);
  hasher?.add(Buffer.alloc(999));
  assert.equal(await hasher?.end(), undefined);
});

void test('a little more does not change the block length of a file of a round size', () => {
  for (const size of [256, 512, 1024]) {
    const bytes = size * 2 ** 20;
    assert.equal(blockLength(bytes), blockLength(bytes + 2 ** 20));
  }
});

void test('few lists are remembered, and one that was taken serves once', () => {
  const lists = new BlockLists();
  const blocks = { block: 1, hashes: [] };
  for (let number = 0; number < 40; number++) lists.add(String(number), blocks);
  assert.equal(lists.get('0'), undefined);
  assert.equal(lists.take('39'), blocks);
  assert.equal(lists.take('39'), undefined);
});
