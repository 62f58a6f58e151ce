import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { lstatSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { test, type TestContext } from 'node:test';
import zlib from 'node:zlib';
import tar from 'tar-stream';
import {
  type ArrivingFromAgent,
  fromAgentSchema,
  type FromMain,
  fromMainSchema,
} from '#protocol/messages/session.ts';
import { stampOf } from '#core/manifest/stamp.ts';
import { Channel } from '#wire/channel.ts';
import { IncomingStream } from '#wire/incomingStream.ts';
import { systemClock } from '#host/time/clock.ts';
import { spansText } from '#sync/transfer/blocks.ts';
import { ENCODING, PAX_ERROR, PAX_PARTS, PAX_SPANS, ZSTD_WINDOW_LOG } from '#sync/transfer/format.ts';
import { packFiles } from '#sync/transfer/packing/packFiles.ts';
import type { Packed } from '#sync/transfer/packed.ts';
import { ArchiveError, unpackFiles } from '#sync/transfer/unpack.ts';
import { asWebSocket, MemoryLine } from '../../../support/wire/memorySocket.ts';
import { handlesIn } from '../../../support/unit/handlesIn.ts';

type Cut = 'close' | 'reset';
type Kind = 'text' | 'audio' | 'small text' | 'small audio';
type EntryOf = {
  name: string;
  type?: 'file' | 'symlink' | 'directory';
  content?: Buffer;
  pax?: Record<string, string>;
};

for (const kind of ['text', 'audio', 'small text', 'small audio'] as const) {
  for (const how of ['close', 'reset'] as const) {
    void test(`${kind}: wherever a transfer is cut by ${how}, both ends are done with it and no file stays open`, async (t) => {
      const folder = folderOf(t, kind);
      const frames = await transfer(folder, kind, how, Infinity);
      assert.ok(frames > 3, `${frames} frames`);
      const step = Math.max(1, Math.floor(frames / 12));
      for (let after = 0; after < frames; after += step) await transfer(folder, kind, how, after);
    });
  }
}

void test('a directory that can not be opened ends the transfer', async () => {
  const { main, agent } = channels(new MemoryLine());
  const incoming = agent.openIncoming(1);
  const out = main.openOutgoing(1, 10);
  const files: Packed[] = [{ path: 'f', size: 10, stamp: '' }];
  const taken = unpackFiles(incoming, [10], () => sink()).catch((error: unknown) => error);
  await assert.rejects(
    packFiles('/nowhere/at all', files, out).catch((error: unknown) => {
      out.abort(String(error));
      throw error;
    }),
    /ENOENT/,
  );
  assert.ok((await taken) instanceof Error);
});

void test('the memory of a stream is released when its whole archive has been taken', async (t) => {
  const release = t.mock.method(IncomingStream.prototype, 'release');
  const bytes = await archiveOf(file('0'));
  for (const [sizes, released] of [
    [[3], 1],
    [[4], 0],
  ] as const) {
    await unpacked(bytes, sizes);
    assert.equal(release.mock.callCount(), released, sizes.join());
    release.mock.resetCalls();
  }
});

void test('a receiver that gives an archive up ends the sender', async (t) => {
  for (const kind of ['text', 'audio'] as const) {
    const folder = folderOf(t, kind);
    const { main, agent } = channels(new MemoryLine());
    const files = packed(folder);
    const incoming = agent.openIncoming(1);
    const out = main.openOutgoing(1, 1);
    const sent = packFiles(folder, files, out).catch((error: unknown) => error);
    await assert.rejects(
      unpackFiles(
        incoming,
        files.map(({ size }) => size),
        () => ({ ...sink(), write: () => Promise.reject(new Error('no more of it')) }),
      ),
      /no more of it/,
    );
    assert.match(String(await sent), /cancelled/);
    assert.deepEqual(handlesIn(folder), []);
  }
});

void test('what was asked for is taken, with what could not be sent and what is sent in part', async () => {
  const bytes = await archiveOf(
    file('0'),
    { name: '1', pax: { [PAX_ERROR]: 'x'.repeat(300) } },
    { ...file('2', 'b'), pax: { [PAX_SPANS]: spansText([{ start: 1, end: 2 }]) } },
    { name: '3', content: Buffer.alloc(0) },
  );
  assert.deepEqual(await unpacked(bytes, [3, 5, 3, 0]), {
    entries: ['0 abc', `1 refused: ${'x'.repeat(200)}`, '2 b in part', '3 '],
    error: '',
    cancelled: [],
  });
});

void test('an archive that is not what was asked for is refused, and its sender hears why', async () => {
  const cases: readonly (readonly [what: string, bytes: Buffer, sizes: readonly number[], error: RegExp])[] =
    [
      ['too few entries', await archiveOf(file('0')), [3, 3], /has 1 entry of 2/],
      ['too many entries', await archiveOf(file('0'), file('1')), [3], /more entries than were asked for/],
      ['another order', await archiveOf(file('1'), file('0')), [3, 3], /entry 0 is a file named "1"/],
      ['a path', await archiveOf(file('../0')), [3], /entry 0 is a file named "\.\.\/0"/],
      ['a link', await archiveOf({ name: '0', type: 'symlink' }), [0], /entry 0 is a symlink/],
      ['a folder', await archiveOf({ name: '0', type: 'directory' }), [0], /entry 0 is a directory/],
      ['more content', await archiveOf(file('0', 'abcd')), [3], /entry 0 has 4 bytes, not 3/],
      ['less content', await archiveOf(file('0', 'ab')), [3], /entry 0 has 2 bytes, not 3/],
      [
        'an error with content',
        await archiveOf({ ...file('0'), pax: { [PAX_ERROR]: 'x' } }),
        [3],
        /content and an error/,
      ],
      [
        'parts of nothing',
        await archiveOf({ ...file('0'), pax: { [PAX_PARTS]: '?' } }),
        [3],
        /invalid parts/,
      ],
      [
        'parts behind its end',
        await archiveOf({ ...file('0'), pax: { [PAX_SPANS]: '1-9' } }),
        [3],
        /invalid parts/,
      ],
      ['an unknown coding', Buffer.from([7, 0, 0]), [3], /unknown encoding/],
      ['nothing', Buffer.alloc(0), [3], /has 0 entries of 1/],
      [
        'a header without end',
        await archiveOf({ name: '0', pax: { x: 'y'.repeat(600_000) } }),
        [0],
        /more than was asked for/,
      ],
      [
        'little that becomes much',
        Buffer.concat([Buffer.of(ENCODING.zstd), compressed(Buffer.alloc(50_000_000))]),
        [3],
        /more than was asked for|entries/,
      ],
    ];
  for (const [what, bytes, sizes, message] of cases) {
    const { error, cancelled } = await unpacked(bytes, sizes);
    assert.match(error, message, what);
    assert.ok(cancelled.length <= 1 && cancelled.every((reason) => reason === error), what);
  }
});

void test('an archive that ends in the middle is an error, also when nothing was lost on the way', async () => {
  const whole = await archiveOf(file('0', 'x'.repeat(2_000)), file('1'));
  for (const length of [1, 300, 600, 1_600, 3_000]) {
    const { error, entries } = await unpacked(whole.subarray(0, length), [2_000, 3]);
    assert.notEqual(error, '', String(length));
    assert.ok(entries.length < 2);
  }
});

void test('an archive that ends in the middle of a file is over when nothing goes on with that file any more', async () => {
  const whole = await archiveOf(file('0'), file('1', 'x'.repeat(2_000)));
  const { entries } = await unpacked(whole.subarray(0, 2_600), [3, 2_000]);
  assert.deepEqual(entries, ['0 abc', '1 interrupted']);
});

/** An archive as a peer might make it, with the byte of its coding in front. */
async function archiveOf(...entries: readonly EntryOf[]): Promise<Buffer> {
  const pack = tar.pack();
  for (const { content = Buffer.alloc(0), ...header } of entries)
    pack.entry({ ...header, size: content.length, linkname: 'x' }, content);
  pack.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of pack) chunks.push(chunk as Buffer);
  return Buffer.concat([Buffer.of(ENCODING.plain), ...chunks]);
}

/** Unpacks what arrives. @returns what became of it, entry by entry, and what the sender hears */
async function unpacked(
  bytes: Buffer,
  sizes: readonly number[],
): Promise<{ entries: string[]; error: string; cancelled: string[] }> {
  const cancelled: string[] = [];
  const stream = new IncomingStream({
    grant: () => undefined,
    cancel: (reason) => cancelled.push(reason),
    done: () => undefined,
    clock: systemClock,
  });
  for (let at = 0; at < bytes.length; at += 10_000) assert.ok(stream.push(bytes.subarray(at, at + 10_000)));
  stream.end();
  const entries: string[] = [];
  const error = await unpackFiles(stream, sizes, (number, sent) => {
    const pieces: Uint8Array[] = [];
    return {
      write: (piece) => void pieces.push(piece),
      end: () => void entries.push(`${number} ${Buffer.concat(pieces).toString()}${sent ? ' in part' : ''}`),
      refuse: (why) => void entries.push(`${number} refused: ${why}`),
      interrupted: async () => {
        await turn();
        entries.push(`${number} interrupted`);
      },
    };
  }).then(
    () => '',
    (reason: unknown) =>
      reason instanceof ArchiveError ? reason.message : `no ArchiveError: ${String(reason)}`,
  );
  return { entries, error, cancelled };
}

function compressed(content: Buffer): Buffer {
  return zlib.zstdCompressSync(content, { params: { [zlib.constants.ZSTD_c_windowLog]: ZSTD_WINDOW_LOG } });
}

function file(name: string, content = 'abc'): EntryOf {
  return { name, content: Buffer.from(content) };
}

/** @returns frames that arrived */
async function transfer(folder: string, kind: Kind, how: Cut, after: number): Promise<number> {
  let frames = 0;
  const line: MemoryLine = new MemoryLine((_from, _data, isBinary) => {
    if (isBinary && frames++ === after) setImmediate(() => line.cut(how));
    return frames <= after;
  });
  const { main, agent } = channels(line);
  const files = packed(folder);
  const incoming = agent.openIncoming(1);
  const out = main.openOutgoing(1, 1);
  const digests: string[] = [];
  const ends = await within(
    `${kind}, cut after ${after}`,
    Promise.allSettled([
      packFiles(folder, files, out),
      unpackFiles(
        incoming,
        files.map(({ size }) => size),
        () => sink(digests),
      ),
    ]),
  );
  if (after === Infinity) {
    assert.deepEqual(
      ends.map(({ status }) => status),
      ['fulfilled', 'fulfilled'],
    );
    assert.equal(digests.length, files.length);
  } else if (frames > after) assert.equal(ends[1].status, 'rejected');
  await turn();
  assert.deepEqual(handlesIn(folder), [], `${kind}, cut after ${after} frames`);
  return frames;
}

function channels(line: MemoryLine): {
  main: Channel<ArrivingFromAgent, FromMain>;
  agent: Channel<FromMain, ArrivingFromAgent>;
} {
  const hooks = { onMessage: () => undefined, onClose: () => undefined };
  return {
    main: new Channel(asWebSocket(line.a), { schema: fromAgentSchema, ...hooks }),
    agent: new Channel(asWebSocket(line.b), { schema: fromMainSchema, ...hooks }),
  };
}

function sink(digests: string[] = []): {
  write: (chunk: Uint8Array) => Promise<void>;
  end: () => void;
  refuse: (why: string) => void;
} {
  const hash = createHash('sha256');
  return {
    write: async (chunk) => {
      hash.update(chunk);
      await turn();
    },
    end: () => void digests.push(hash.digest('hex')),
    refuse: (why) => assert.fail(why),
  };
}

function folderOf(t: TestContext, kind: Kind): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'xds-cut-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const extension = kind.endsWith('text') ? 'conf' : 'wav';
  const [files, size] = kind.startsWith('small') ? [30, 40_000] : [2, 1_500_000];
  for (let i = 0; i < files; i++) writeFileSync(path.join(folder, `f${i}.${extension}`), noise(size + i));
  return folder;
}

/** Content that hardly shrinks, so that it takes many frames. */
function noise(bytes: number): Buffer {
  const content = Buffer.alloc(bytes);
  for (let at = 0, x = bytes; at < bytes; at++) {
    x = (Math.imul(x, 1103515245) + 12345) >>> 0;
    content[at] = x >>> 16;
  }
  return content;
}

function packed(folder: string): Packed[] {
  return readdirSync(folder).map((name) => {
    const stat = lstatSync(path.join(folder, name), { bigint: true });
    return { path: name, size: Number(stat.size), stamp: stampOf(stat) };
  });
}

async function within<T>(what: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: it never ended`)), 30_000);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
