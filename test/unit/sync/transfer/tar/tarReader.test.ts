import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import tar from 'tar-stream';
import { ArchiveError, TarReader } from '#sync/transfer/tar/tarReader.ts';
import { readHeader, readPax } from '#sync/transfer/tar/tarHeader.ts';

const BLOCK = 512;

void test('files are read from pieces of any size, whose memory is used again', async () => {
  const sizes = [0, 1, 511, 512, 513, 1_023, 2_000, 0];
  const pax = { 'XDS.error': 'gone, für immer', other: 'x'.repeat(700) };
  const bytes = await archiveOf(
    ...sizes.map((size, number) => ({ name: String(number), size, ...(number % 3 === 1 && { pax }) })),
  );
  const expected = sizes.map((size, number) => ({
    name: String(number),
    kind: '0',
    content: contentOf(size),
    pax: number % 3 === 1 ? { path: String(number), ...pax } : {},
  }));
  for (const isSlow of [false, true])
    for (const length of [1, 7, 511, 512, 513, 5_000, bytes.length])
      assert.deepEqual(await read(bytes, length, isSlow), expected, `${length} ${isSlow}`);
});

void test('a receiver that needs no time is never waited for', async () => {
  const bytes = await archiveOf({ name: '0', size: 2_000 });
  const reader = new TarReader({ begin: () => undefined, content: () => undefined, end: () => undefined });
  assert.equal(reader.take(bytes), undefined);
  reader.end();
});

void test('an archive may end with its last file, and not within anything', async () => {
  const bytes = await archiveOf({ name: '0', size: 600, pax: { a: 'b' } });
  // Header and content of the pax header, header and content of the file, and two blocks of zeros.
  const isEnd = (length: number): boolean => length === 0 || length === 5 * BLOCK || length >= 6 * BLOCK;
  assert.equal(bytes.length, 7 * BLOCK);
  for (let length = 0; length <= bytes.length; length++) {
    const reading = read(bytes.subarray(0, length), 10_000);
    if (isEnd(length)) await reading;
    else await assert.rejects(reading, /ends in the middle/, String(length));
  }
});

void test('a damaged header, one without end, and much after the end are refused', async () => {
  const bytes = await archiveOf({ name: '0', size: 600 });
  for (const at of [0, 100, 130, 156, 257, 511]) {
    const damaged = Buffer.from(bytes);
    damaged[at] = (damaged[at] ?? 0) ^ 1;
    await assert.rejects(read(damaged, 10_000), /invalid header/, String(at));
  }
  const long = await archiveOf({ name: '0', size: 0, pax: { x: 'y'.repeat(300_000) } });
  await assert.rejects(read(long.subarray(0, BLOCK), 10_000), /more than was asked for/);
  await read(Buffer.concat([bytes, Buffer.alloc(200_000)]), 10_000);
  await assert.rejects(
    read(Buffer.concat([bytes, Buffer.alloc(300_000)]), 10_000),
    /more than was asked for/,
  );
  const twoPax = await archiveOf({ name: '0', size: 0, pax: { a: 'b' } });
  const doubled = Buffer.concat([twoPax.subarray(0, 2 * BLOCK), twoPax]);
  await assert.rejects(read(doubled, 10_000), /invalid pax header/);
});

void test('a size of more than 8 GiB is a binary number', async () => {
  const size = 2 ** 40 + 12_345;
  const pack = tar.pack();
  pack.entry({ name: '0', size });
  for await (const header of pack) {
    assert.deepEqual(readHeader(header as Buffer), { name: '0', kind: '0', size });
    break;
  }
  assert.equal(readHeader(Buffer.alloc(BLOCK)), 'end');
});

void test('a pax header is a list of records with their lengths, or invalid', () => {
  assert.deepEqual(readPax(Buffer.from('6 a=b\n11 ü=x=yz\n')), { a: 'b', ü: 'x=yz' });
  for (const text of [
    '6 a=b',
    '7 a=b\n',
    '6 a=b\n6 ',
    '6 a=b\nx',
    '0 a=b\n',
    '-6 a=b\n',
    '6a=bcd',
    '5 abc',
    ' a=b\n',
  ])
    assert.equal(readPax(Buffer.from(text)), undefined, text);
});

type Read = { name: string; kind: string; content: string; pax: object };

async function read(bytes: Buffer, length: number, isSlow = false): Promise<Read[]> {
  const entries: Read[] = [];
  const piecesOf: Buffer[] = [];
  const busy = (): Promise<void> | undefined => (isSlow ? turn() : undefined);
  let current: Omit<Read, 'content'> | undefined;
  const reader = new TarReader({
    begin: ({ name, kind, pax }) => {
      assert.equal(current, undefined);
      current = { name, kind, pax };
    },
    content: (piece) => {
      piecesOf.push(Buffer.from(piece));
      return busy();
    },
    end: () => {
      assert.ok(current);
      entries.push({ ...current, content: Buffer.concat(piecesOf.splice(0)).toString() });
      current = undefined;
      return busy();
    },
  });
  try {
    for (let at = 0; at < bytes.length; at += length) {
      const piece = Buffer.from(bytes.subarray(at, at + length));
      await reader.take(piece);
      piece.fill(0x55);
    }
    reader.end();
  } catch (error) {
    assert.ok(error instanceof ArchiveError, String(error));
    throw error;
  }
  return entries;
}

async function archiveOf(
  ...entries: { name: string; size: number; pax?: Record<string, string> }[]
): Promise<Buffer> {
  const pack = tar.pack();
  for (const { size, ...header } of entries) pack.entry({ ...header, size }, contentOf(size));
  pack.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of pack) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function contentOf(size: number): string {
  return 'abcdefg'.repeat(size / 7 + 1).slice(0, size);
}
