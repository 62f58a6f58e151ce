import assert from 'node:assert/strict';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import {
  type ArrivingFromAgent,
  fromAgentSchema,
  type FromMain,
  fromMainSchema,
} from '#protocol/messages/session.ts';
import { stampOf } from '#core/manifest/stamp.ts';
import { encodeName } from '#core/path/nameBytes.ts';
import { Channel } from '#wire/channel.ts';
import { packFiles } from '#sync/transfer/packing/packFiles.ts';
import type { Packed } from '#sync/transfer/packed.ts';
import { type Sink, unpackFiles } from '#sync/transfer/unpack.ts';
import { handlesIn } from '../../../../support/unit/handlesIn.ts';
import { sameBytes } from '../../../../support/unit/sameBytes.ts';
import { streamPair } from '../../../../support/unit/streamPair.ts';
import { asWebSocket, MemoryLine } from '../../../../support/wire/memorySocket.ts';

/** Up to this size a file is read in one piece. */
const SMALL = 64 * 1024;

/** A folder with files on one side, and what of them reaches the other side. */
class Transfer {
  readonly root: string;
  readonly content = new Map<number, Buffer>();
  readonly refused = new Map<number, string>();
  /** Called for each piece that arrives. */
  onPiece: () => void = () => undefined;

  constructor(t: TestContext) {
    this.root = mkdtempSync(path.join(os.tmpdir(), 'xds-pack-'));
    t.after(() => rmSync(this.root, { recursive: true, force: true }));
  }

  /** Writes a file, with the folders on its way. */
  write(name: string, content: string | Buffer): Packed {
    const at = encodeName(path.join(this.root, name));
    mkdirSync(at.subarray(0, at.lastIndexOf('/')), { recursive: true });
    writeFileSync(at, content);
    return this.packed(name);
  }

  packed(name: string): Packed {
    const stat = lstatSync(encodeName(path.join(this.root, name)), { bigint: true });
    return { path: name, size: Number(stat.size), stamp: stampOf(stat) };
  }

  /** Sends files. @returns how either end came out of it */
  async send(files: readonly Packed[]): Promise<PromiseSettledResult<void>[]> {
    const line = new MemoryLine();
    const hooks = { onMessage: () => undefined, onClose: () => undefined };
    const main = new Channel<ArrivingFromAgent, FromMain>(asWebSocket(line.a), {
      schema: fromAgentSchema,
      ...hooks,
    });
    const agent = new Channel<FromMain, ArrivingFromAgent>(asWebSocket(line.b), {
      schema: fromMainSchema,
      ...hooks,
    });
    const incoming = agent.openIncoming(1);
    const out = main.openOutgoing(1, 1);
    const sizes = files.map(({ size, from = 0 }) => Math.max(0, size - from));
    return Promise.allSettled([
      packFiles(this.root, files, out).catch((error: unknown) => {
        // As the session does.
        out.abort(String(error));
        throw error;
      }),
      unpackFiles(incoming, sizes, (number) => this.#sink(number)),
    ]);
  }

  /** The same, where nothing goes wrong with the archive. */
  async sendAll(files: readonly Packed[]): Promise<void> {
    for (const end of await this.send(files)) if (end.status === 'rejected') throw end.reason;
    assert.equal(this.content.size + this.refused.size, files.length);
    assert.deepEqual(this.openFiles, []);
  }

  #sink(number: number): Sink {
    const pieces: Buffer[] = [];
    return {
      write: (piece) => {
        pieces.push(Buffer.from(piece));
        this.onPiece();
      },
      end: () => void this.content.set(number, Buffer.concat(pieces)),
      refuse: (why) => void this.refused.set(number, why),
    };
  }

  /** Files and folders of it that this process has open. */
  get openFiles(): string[] {
    return handlesIn(this.root);
  }
}

void describe('Files that are packed arrive as they are', () => {
  for (const extension of ['conf', 'wav']) {
    void it(`of every size around the limits of the format (.${extension})`, async (t) => {
      const transfer = new Transfer(t);
      const sizes = [0, 1, 511, 512, 513, SMALL - 1, SMALL, SMALL + 1, 300_000, 0];
      const files = sizes.map((size, number) =>
        transfer.write(`${number}.${extension}`, sameBytes(`${number}`, size)),
      );
      await transfer.sendAll(files);
      for (const [number, size] of sizes.entries())
        assert.deepEqual(transfer.content.get(number), sameBytes(`${number}`, size), `${size} bytes`);
    });
  }

  void it('with every name that a file can have, at any depth', async (t) => {
    const transfer = new Transfer(t);
    const deep = Array.from({ length: 15 }, (_, level) => `${level}`.padEnd(200, 'x')).join('/');
    const names = [
      'with blanks',
      'with\na line break',
      '-rf',
      '"quoted" \\ \'twice\'',
      'é and 漢字',
      'caf\udce9',
      '..not above',
      'x'.repeat(255),
      `${deep}/file`,
      'PaxHeader/0',
    ];
    const files = names.map((name) => transfer.write(name, `the content of ${name}`));
    await transfer.sendAll(files);
    assert.deepEqual(
      names.map((_, number) => transfer.content.get(number)?.toString()),
      names.map((name) => Buffer.from(`the content of ${name}`).toString()),
    );
  });

  void it('with holes at their beginning, inside and at their end', async (t) => {
    const transfer = new Transfer(t);
    transfer.write('sparse.wav', '');
    truncateSync(path.join(transfer.root, 'sparse.wav'), 700_000);
    writeFileSync(path.join(transfer.root, 'sparse.wav'), 'in the middle', { flag: 'a' });
    truncateSync(path.join(transfer.root, 'sparse.wav'), 1_500_000);
    await transfer.sendAll([transfer.packed('sparse.wav'), transfer.write('after.wav', 'after it')]);
    assert.deepEqual(transfer.content.get(0), readFileSync(path.join(transfer.root, 'sparse.wav')));
    assert.equal(transfer.content.get(1)?.toString(), 'after it');
  });

  void it('from the byte on that the other side lacks, be it the last', async (t) => {
    const transfer = new Transfer(t);
    const content = sameBytes('resumed', 200_000);
    const file = transfer.write('a.wav', content);
    const from = [0, 1, SMALL, 199_999, 200_000];
    await transfer.sendAll(from.map((start) => ({ ...file, from: start })));
    for (const [number, start] of from.entries())
      assert.deepEqual(transfer.content.get(number), content.subarray(start), `from ${start}`);
  });
});

void describe('A file that can not be sent', () => {
  for (const size of [10, SMALL + 1]) {
    void it(`is named with its reason, and the others arrive (${size} bytes)`, async (t) => {
      const transfer = new Transfer(t);
      const good = transfer.write('good', sameBytes('good', size));
      const changed = transfer.write('changed', sameBytes('changed', size));
      const gone = transfer.write('folder/gone', sameBytes('gone', size));
      const link = transfer.write('link', sameBytes('link', size));
      rmSync(path.join(transfer.root, 'folder'), { recursive: true });
      rmSync(path.join(transfer.root, 'link'));
      symlinkSync('good', path.join(transfer.root, 'link'));
      await transfer.sendAll([
        { ...changed, stamp: good.stamp },
        good,
        gone,
        link,
        { ...good, refusal: 'Main has another version by now' },
        good,
      ]);
      assert.deepEqual(
        [...transfer.refused],
        [
          [0, 'changed'],
          [2, 'ENOENT'],
          [3, 'ELOOP'],
          [4, 'Main has another version by now'],
        ],
      );
      for (const number of [1, 5])
        assert.deepEqual(transfer.content.get(number), sameBytes('good', size), String(number));
    });
  }

  void it('is one of which the other side has more than all', async (t) => {
    const transfer = new Transfer(t);
    const file = transfer.write('a', 'short');
    await transfer.sendAll([{ ...file, from: 6 }, file]);
    assert.deepEqual([...transfer.refused], [[0, 'more of it was there than it holds']]);
    assert.equal(transfer.content.get(1)?.toString(), 'short');
  });

  void it('that shrinks while it is sent is filled up, so that what follows can be read', async (t) => {
    const transfer = new Transfer(t);
    // More than is under way at any time.
    const size = 8 * 1024 * 1024;
    const file = transfer.write('a.wav', Buffer.alloc(size, 7));
    const next = transfer.write('b.wav', sameBytes('next', 100_000));
    transfer.onPiece = () => {
      transfer.onPiece = () => undefined;
      truncateSync(path.join(transfer.root, 'a.wav'), 100_000);
    };
    await transfer.sendAll([file, next]);
    const sent = transfer.content.get(0) ?? Buffer.alloc(0);
    assert.equal(sent.length, size);
    assert.deepEqual([sent[0], sent.at(-1)], [7, 0]);
    assert.deepEqual(transfer.content.get(1), sameBytes('next', 100_000));
  });

  void it('after its beginning was sent ends the archive on both sides, and closes every file', async (t) => {
    for (const extension of ['wav', 'conf']) {
      const transfer = new Transfer(t);
      const good = transfer.write(`a.${extension}`, sameBytes('good', 200_000));
      // A folder can be opened, but reading it fails, as with a disk that fails.
      mkdirSync(path.join(transfer.root, `b.${extension}`));
      const failing = { ...transfer.packed(`b.${extension}`), size: 300_000 };
      const [sent, taken] = await transfer.send([good, failing, good]);
      assert.match(String(sent?.status === 'rejected' && sent.reason), /EISDIR/);
      assert.match(String(taken?.status === 'rejected' && taken.reason), /EISDIR/);
      assert.deepEqual(transfer.openFiles, []);
    }
  });
});

void it('a file is not read for what differs once the stream has ended', async (t) => {
  const transfer = new Transfer(t);
  const file = transfer.write('large', sameBytes('large', 3_500_000));
  const { stream, out } = streamPair();
  const refused: string[] = [];
  const sink: Sink = { write: () => undefined, end: () => undefined, refuse: (why) => refused.push(why) };
  const ended = Object.assign(out, { signal: AbortSignal.abort(new Error('the connection was lost')) });
  const bases = [{ chunks: '' }, { block: 131_072, hashes: [] }];
  await Promise.all([
    packFiles(
      transfer.root,
      bases.map((base) => ({ ...file, base })),
      ended,
    ),
    unpackFiles(stream, [file.size, file.size], () => sink),
  ]);
  assert.deepEqual(refused, ['the connection was lost', 'the connection was lost']);
});
