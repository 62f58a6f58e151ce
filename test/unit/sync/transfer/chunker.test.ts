import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { MAX_CHUNKS } from '#protocol/limits.ts';
import { Chunker, chunkLengths } from '#sync/transfer/chunker.ts';

const KIB = 1024;
const LENGTHS = { least: 16 * KIB, usual: 64 * KIB, most: 256 * KIB };
/** The same bytes in every run. */
const CONTENT = Buffer.concat(
  Array.from({ length: 48 * KIB }, (_, number) => createHash('sha256').update(String(number)).digest()),
);

/** Lengths of all chunks, of content that comes in pieces of these lengths, again and again. */
function chunksOf(content: Uint8Array, pieces: readonly number[] = [content.length]): number[] {
  const chunker = new Chunker(LENGTHS);
  const lengths: number[] = [];
  let begin = 0;
  for (let at = 0, turn = 0; at < content.length; turn++) {
    const piece = content.subarray(at, at + (pieces[turn % pieces.length] ?? 1));
    for (let next: number | undefined = 0; next !== undefined && next < piece.length;) {
      next = chunker.next(piece, next);
      if (next === undefined) break;
      lengths.push(at + next - begin);
      begin = at + next;
    }
    at += piece.length;
  }
  if (begin < content.length) lengths.push(content.length - begin);
  return lengths;
}

void test('chunks depend on the content alone, not on how it was cut into pieces', () => {
  const whole = chunksOf(CONTENT);
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 400 * KIB }), { minLength: 1, maxLength: 8 }),
      (pieces) => {
        assert.deepEqual(chunksOf(CONTENT, pieces), whole);
      },
    ),
    { numRuns: 40 },
  );
  assert.deepEqual(chunksOf(CONTENT.subarray(0, 300 * KIB), [1]), chunksOf(CONTENT.subarray(0, 300 * KIB)));
});

void test('chunks are within their bounds, and as long as usual on the average', () => {
  const whole = chunksOf(CONTENT);
  for (const length of whole.slice(0, -1)) assert.ok(length >= LENGTHS.least && length <= LENGTHS.most);
  const mean = CONTENT.length / whole.length;
  assert.ok(mean > 48 * KIB && mean < 96 * KIB, `${mean} bytes`);
  for (const byte of [0, 0xff, 0xd5]) {
    const silence = chunksOf(Buffer.alloc(1024 * KIB, byte));
    assert.ok(silence.length <= 5, `silence of ${byte} has ${silence.length} chunks`);
  }
});

void test('a peer of any later version cuts at the same places', () => {
  const digest = createHash('sha256').update(chunksOf(CONTENT).join()).digest('hex').slice(0, 16);
  assert.equal(digest, '14afa239dcf4e8b5', 'other boundaries are another capability');
});

void test('what is put in front, removed or changed inside leaves all chunks but a few', () => {
  const known = new Set(contentsOf(CONTENT).map(digestOf));
  for (const edit of [
    [Buffer.from('in front'), CONTENT],
    [CONTENT.subarray(1_000)],
    [CONTENT.subarray(0, 700_000), Buffer.from('x'), CONTENT.subarray(700_001)],
    [CONTENT.subarray(0, 700_000), CONTENT.subarray(700_001)],
    [CONTENT, Buffer.from('behind')],
  ]) {
    const others = contentsOf(Buffer.concat(edit)).filter((chunk) => !known.has(digestOf(chunk)));
    assert.ok(others.length > 0 && others.length <= 4, `${others.length} chunks are others`);
  }
});

function contentsOf(content: Buffer): Buffer[] {
  let at = 0;
  return chunksOf(content).map((length) => content.subarray(at, (at += length)));
}

function digestOf(chunk: Buffer): string {
  return createHash('sha256').update(chunk).digest('hex');
}

void test('a little more does not change the chunk lengths of a file of a round size', () => {
  for (const size of [256, 512, 1024, 2048, 4096]) {
    const bytes = size * 2 ** 20;
    assert.deepEqual(chunkLengths(bytes), chunkLengths(bytes + 2 ** 20));
  }
});

void test('a file has no more chunks of the usual length than a message may name', () => {
  for (const size of [0, 1, 8 * 2 ** 20, 2 ** 30, 5 * 2 ** 30]) {
    const lengths = chunkLengths(size);
    assert.ok(lengths !== undefined && size / lengths.usual <= MAX_CHUNKS);
  }
  assert.equal(chunkLengths(2 ** 43), undefined);
});
