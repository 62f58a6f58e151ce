import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import * as fc from 'fast-check';
import { MAX_PARTS } from '#protocol/limits.ts';
import { type ChunkList, ChunkLister } from '#sync/transfer/chunkList.ts';
import { deltaSink } from '#sync/transfer/deltaSink.ts';
import {
  bytesToSend,
  differingParts,
  parseParts,
  partsInBytes,
  partsText,
  runsOfParts,
  runsOfSpans,
} from '#sync/transfer/parts.ts';
import { cachedBytes, whyNotDropped } from '../../../support/unit/cachedBytes.ts';
import { sameBytes } from '../../../support/unit/sameBytes.ts';

const folder = mkdtempSync(path.join(os.tmpdir(), 'xds-parts-'));
after(() => rmSync(folder, { recursive: true }));

const OLD = Buffer.concat([sameBytes('first', 600_000), Buffer.alloc(700_000), sameBytes('last', 300_000)]);
const FILE = path.join(folder, 'old');
writeFileSync(FILE, OLD);

async function listOf(content: Uint8Array): Promise<ChunkList> {
  const lister = ChunkLister.of(content.length);
  lister?.add(content);
  const list = await lister?.end();
  assert.ok(list);
  return list;
}

/** An edit replaces so many bytes at a place with others. */
const edit = fc.record({
  at: fc.nat(OLD.length),
  removed: fc.oneof(fc.nat(20), fc.nat(200_000)),
  put: fc.oneof(fc.nat(20), fc.nat(200_000)),
  /** What is put there was somewhere else in the file. */
  copied: fc.option(fc.nat(OLD.length)),
});

function edited(
  edits: readonly { at: number; removed: number; put: number; copied: number | null }[],
): Buffer {
  let content: Buffer = OLD;
  for (const { at, removed, put, copied } of edits) {
    const other = copied === null ? sameBytes(`put at ${at}`, put) : OLD.subarray(copied, copied + put);
    content = Buffer.concat([content.subarray(0, at), other, content.subarray(at + removed)]);
  }
  return content;
}

void test('whatever was edited, the parts give the new file and the list of its chunks, from any byte on', async () => {
  const old = await listOf(OLD);
  await fc.assert(
    fc.asyncProperty(
      fc.array(edit, { maxLength: 5 }),
      fc.oneof(fc.constant(0), fc.nat(OLD.length)),
      fc.array(fc.integer({ min: 3_000, max: 100_000 }), { minLength: 1, maxLength: 4 }),
      fc.boolean(),
      async (edits, wantedFrom, pieces, isListed) => {
        const content = edited(edits);
        const from = Math.min(wantedFrom, content.length);
        const own = await listOf(content);
        const { parts, spans } = differingParts(own, content.length, old.digests, from);
        const arrived = partsText(isListed ? parts : partsInBytes(parts, old));
        const theirs = isListed ? old : undefined;
        const runs =
          arrived === '' ? [] : runsOfParts(parseParts(arrived) ?? [], theirs, content.length - from);
        assert.ok(runs);
        const sent = Buffer.concat(spans.map(({ start, end }) => content.subarray(start, end)));
        assert.equal(sent.length, bytesToSend(parts));
        const lister = isListed ? ChunkLister.of(content.length) : undefined;
        const made: Buffer[] = [];
        const fd = openSync(FILE, 'r');
        const sink = deltaSink(
          {
            write: (piece) => void made.push(Buffer.from(piece)),
            copy: (from, start, end) => {
              assert.equal(from, fd);
              made.push(OLD.subarray(start, end));
              return Promise.resolve();
            },
            end: () => undefined,
            refuse: (why) => assert.fail(why),
          },
          { fd, ...(isListed && { chunks: { list: old, lister } }) },
          runs,
        );
        for (let at = 0, turn = 0; at < sent.length; turn++) {
          const length = pieces[turn % pieces.length] ?? 1;
          await sink.write(sent.subarray(at, (at += length)));
        }
        await sink.end();
        closeSync(fd);
        assert.ok(Buffer.concat(made).equals(content.subarray(from)));
        if (from === 0 && isListed) assert.deepEqual(await lister?.end(), own);
      },
    ),
    { numRuns: 30 },
  );
});

void test('the end of an archive in the middle of a file is the end of what is put together', async () => {
  const fd = openSync(FILE, 'r');
  let ends = 0;
  const fail = (): void => assert.fail('it is not complete');
  const inner = {
    write: () => undefined,
    copy: () => Promise.resolve(),
    end: fail,
    refuse: fail,
    interrupted: () => Promise.resolve(void ends++),
  };
  await deltaSink(inner, { fd }, [{ bytes: 10 }]).interrupted?.();
  assert.equal(ends, 1);
  closeSync(fd);
});

void test(
  'what was copied of the old version does not stay in memory',
  { skip: whyNotDropped(folder) },
  async () => {
    const large = path.join(folder, 'large');
    const size = 40 * 1024 * 1024;
    const fd = openSync(large, 'w+');
    try {
      writeSync(fd, Buffer.alloc(size, 'old'));
      fsyncSync(fd);
      assert.equal(cachedBytes(fd, size), size);
      const left: number[] = [];
      const inner = {
        write: () => undefined,
        copy: (from: number, start: number, end: number) => {
          left.push(cachedBytes(from, size));
          readSync(from, Buffer.alloc(end - start), 0, end - start, start);
          return Promise.resolve();
        },
        end: () => undefined,
        refuse: () => assert.fail(),
      };
      await deltaSink(inner, { fd }, [{ offset: 1000, bytes: size - 1000 }]).end();
      const mebi = 1024 * 1024;
      assert.ok((left[1] ?? 0) <= size - 6 * mebi && (left[1] ?? 0) > 20 * mebi, `${left[1]} after one step`);
      assert.ok(cachedBytes(fd, size) <= 3 * mebi, `${cachedBytes(fd, size)} in the end`);
    } finally {
      closeSync(fd);
    }
  },
);

void test('a little that is put in front costs a chunk or two, and silence is taken from one chunk', async () => {
  const old = await listOf(OLD);
  for (const content of [
    Buffer.concat([Buffer.from('in front'), OLD]),
    Buffer.concat([OLD, Buffer.from('behind')]),
  ]) {
    const { parts } = differingParts(await listOf(content), content.length, old.digests);
    assert.ok(bytesToSend(parts) < 500_000, `${bytesToSend(parts)} bytes`);
    assert.ok(parts.length <= 4, partsText(parts));
  }
});

void test('a file is never put together of too many parts: the rest is sent', () => {
  const chunks = 3 * MAX_PARTS;
  const digest = (number: number): string =>
    createHash('md5').update(String(number)).digest('base64').slice(0, 16);
  const lengths = new Uint32Array(chunks).fill(100);
  const digests = (numbers: number[]): string => numbers.map(digest).join('');
  const all = Array.from({ length: chunks }, (_, number) => number);
  const own = { usual: 1, digests: digests(all.toReversed()), lengths };
  const { parts } = differingParts(own, chunks * 100, digests(all));
  assert.equal(parts.length, MAX_PARTS);
  assert.equal(bytesToSend(parts), (chunks - MAX_PARTS + 1) * 100);
  assert.deepEqual(parseParts(partsText(parts)), parts);
});

void test('what is behind the last listed chunk is sent', async () => {
  const old = await listOf(OLD);
  const { parts } = differingParts(
    { ...old, digests: old.digests.slice(0, 32), lengths: old.lengths.slice(0, 2) },
    OLD.length,
    old.digests,
  );
  const [first = 0, second = 0] = old.lengths;
  assert.deepEqual(parts, [{ chunk: 0, count: 2 }, { bytes: OLD.length - first - second }]);
});

void test('invalid parts are refused', () => {
  for (const text of [
    '',
    '0',
    '1,',
    ',1',
    '-1',
    '1.5',
    '0+0',
    '1+',
    '+1',
    '0x1',
    '1e3',
    '1+2+3',
    '9'.repeat(14),
    ' 1',
  ])
    assert.equal(parseParts(text), undefined, text);
  assert.equal(parseParts(Array.from({ length: MAX_PARTS + 1 }, () => '1').join()), undefined);
  assert.deepEqual(parseParts('5,0+2'), [{ bytes: 5 }, { chunk: 0, count: 2 }]);
});

void test('parts that name chunks which are not there, or give another size, are refused', () => {
  const list = { usual: 1, digests: '', lengths: Uint32Array.of(10, 20) };
  assert.deepEqual(runsOfParts([{ chunk: 1, count: 1 }, { bytes: 5 }], list, 25), [
    { offset: 10, bytes: 20, chunks: { first: 1, count: 1 } },
    { bytes: 5 },
  ]);
  assert.equal(runsOfParts([{ chunk: 1, count: 2 }], list, 20), undefined);
  assert.equal(runsOfParts([{ chunk: 3, count: 1 }], list, 0), undefined);
  assert.equal(runsOfParts([{ chunk: 0, count: 2 }], list, 29), undefined);
  assert.equal(runsOfParts([{ chunk: 0, count: 2 }, { bytes: 2 ** 40 }], list, 31), undefined);
  assert.deepEqual(runsOfParts([{ bytes: 5 }, { chunk: 10, count: 20 }], undefined, 25), [
    { bytes: 5 },
    { offset: 10, bytes: 20 },
  ]);
  assert.equal(runsOfParts([{ chunk: 0, count: 26 }], undefined, 25), undefined);
});

void test('between spans the receiver keeps what it has at the same offset', () => {
  assert.deepEqual(runsOfSpans([{ start: 10, end: 15 }], 30), [
    { offset: 0, bytes: 10 },
    { bytes: 5 },
    { offset: 15, bytes: 15 },
  ]);
  assert.deepEqual(runsOfSpans([], 7), [{ offset: 0, bytes: 7 }]);
});
