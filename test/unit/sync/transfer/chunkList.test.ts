import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import zlib from 'node:zlib';
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

/** The list of a new version, whose bytes pass by in pieces of these lengths. */
async function listAfter(
  before: ChunkList | undefined,
  content: Uint8Array,
  lengths: readonly number[] = [content.length],
): Promise<ChunkList> {
  const lister = ChunkLister.following(content.length, before);
  for (let at = 0, turn = 0; at < content.length; turn++) {
    const end = at + (lengths[turn % lengths.length] ?? 1);
    const piece = Buffer.from(content.subarray(at, end));
    lister?.add(piece);
    piece.fill(0);
    at = end;
  }
  const list = await lister?.end();
  assert.ok(list);
  return list;
}

void test('a new version has the list that it would have without the list of the version before', async () => {
  const edits = fc.array(
    fc.record({
      at: fc.nat(CONTENT.length),
      removed: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 200_000 })),
      added: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 200_000 })),
    }),
    { maxLength: 4 },
  );
  const pieces = fc.array(fc.integer({ min: 1, max: 300_000 }), { minLength: 1, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(edits, pieces, async (each, lengths) => {
      let content = CONTENT;
      let before = await listAfter(undefined, content);
      for (const [number, { at, removed, added }] of each.entries()) {
        const rest = content.subarray(at + removed);
        content = Buffer.concat([content.subarray(0, at), sameBytes(`added ${number}`, added), rest]);
        if (content.length === 0) return;
        before = await listAfter(before, content, lengths);
        assert.deepEqual(before, await listAfter(undefined, content));
      }
    }),
    { numRuns: 60 },
  );
});

void test('of a new version only the chunks that differ are digested', async (t) => {
  const before = await listAfter(undefined, CONTENT);
  const digest = t.mock.method(crypto.subtle, 'digest');
  const inFront = Buffer.concat([Buffer.from('in front'), CONTENT]);
  const inside = Buffer.from(CONTENT);
  inside.fill(0, 400_000, 400_100);
  for (const [content, most] of [
    [CONTENT, 1],
    [inFront, 3],
    [inside, 3],
    [CONTENT.subarray(500_000), 3],
    [Buffer.concat([CONTENT, CONTENT]), 3],
  ] as const) {
    digest.mock.resetCalls();
    await listAfter(before, content, [250_000]);
    const { length } = digest.mock.calls;
    assert.ok(length > 0 && length <= most, `${length} digests`);
  }
  assert.ok(before.lengths.length > 10);
});

/** Where each chunk starts. */
function startsOf({ lengths }: ChunkList): number[] {
  let at = 0;
  return Array.from(lengths, (length) => (at += length) - length);
}

void test('a version that ends within what was a chunk is divided like any other', async () => {
  const before = await listAfter(undefined, CONTENT);
  const starts = startsOf(before);
  const longest = before.lengths.indexOf(Math.max(...before.lengths));
  const shortest = before.lengths.indexOf(Math.min(...before.lengths.subarray(0, -1)));
  const [from = 0, start = 0] = [starts[longest], starts[shortest]];
  const end = start + (before.lengths[shortest] ?? 0);
  const content = Buffer.concat([CONTENT.subarray(0, from), CONTENT.subarray(start, end), Buffer.alloc(100)]);
  assert.ok(content.length < from + (before.lengths[longest] ?? 0));
  const list = await listAfter(before, content);
  assert.deepEqual(list, await listAfter(undefined, content));
  assert.equal(list.lengths.length, longest + 2);
});

void test('of two chunks with the same checksum, the one of the same length is taken', async () => {
  const before = await listAfter(undefined, CONTENT);
  const content = CONTENT.subarray(startsOf(before)[2]);
  const checks = Uint32Array.from(before.checks ?? []);
  checks[5] = checks[2] ?? 0;
  assert.notEqual(before.lengths[5], before.lengths[2]);
  assert.deepEqual(await listAfter({ ...before, checks }, content), await listAfter(undefined, content));
});

void test('the list of a version that was divided into other chunks is of no use', async () => {
  const list = await listAfter(undefined, CONTENT);
  const [first = 0, second = 0, ...others] = list.lengths;
  const both = zlib.crc32(CONTENT.subarray(0, first + second));
  const coarse = {
    usual: 2 * list.usual,
    digests: list.digests.slice(16),
    lengths: Uint32Array.from([first + second, ...others]),
    checks: Uint32Array.from([both, ...(list.checks?.subarray(2) ?? [])]),
  };
  assert.deepEqual(await listAfter(coarse, CONTENT), list);
  const { checks: _, ...unchecked } = list;
  assert.deepEqual(await listAfter(unchecked, CONTENT), list);
});

void test('a file on disk has the list of its content', async () => {
  const file = path.join(folder, 'file');
  const content = sameBytes('file', 3_500_000);
  writeFileSync(file, content);
  const fd = openSync(file, 'r');
  assert.deepEqual(await listChunks(fd, content.length, new AbortController().signal), await listOf(content));
  assert.equal(await listChunks(fd, content.length + 1, new AbortController().signal), undefined);
  const ended = AbortSignal.abort(new Error('ended'));
  await assert.rejects(listChunks(fd, content.length, ended), /ended/);
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
  const checked = { ...list, checks: new Uint32Array(10_000) };
  for (let number = 40; number < 80; number++) lists.add(String(number), checked);
  assert.equal(lists.get('56'), undefined);
  assert.equal(lists.get('57'), checked);
});
