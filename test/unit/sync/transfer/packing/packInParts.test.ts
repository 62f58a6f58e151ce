import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import {
  type ArrivingFromAgent,
  fromAgentSchema,
  type FromMain,
  fromMainSchema,
} from '#protocol/messages/session.ts';
import { stampOf } from '#core/manifest/stamp.ts';
import { type ArchivePart, ArchiveParts } from '#sync/transfer/packing/archiveParts.ts';
import type { Packed } from '#sync/transfer/packed.ts';
import { isPackedInParts, packInParts } from '#sync/transfer/packing/packInParts.ts';
import { packArchive } from '#sync/transfer/packing/packArchive.ts';
import { unpackFiles } from '#sync/transfer/unpack.ts';
import { Channel } from '#wire/channel.ts';
import type { OutgoingStream } from '#wire/outgoingStream.ts';
import { ManualClock } from '../../../../support/wire/manualClock.ts';
import { asWebSocket, MemoryLine } from '../../../../support/wire/memorySocket.ts';

const FILES = 1_000;
const SIZE = 4_000;

class CountingParts extends ArchiveParts {
  packed = 0;

  override get(key: string, reader: string, pack: () => Promise<ArchivePart>): Promise<ArchivePart> {
    return super.get(key, reader, () => {
      this.packed += 1;
      return pack();
    });
  }
}

function folderOf(t: TestContext, extension: string): { root: string; files: Packed[] } {
  const root = mkdtempSync(path.join(os.tmpdir(), 'xds-shared-'));
  t.after(() => rmSync(root, { recursive: true }));
  for (let number = 0; number < FILES; number++)
    writeFileSync(path.join(root, `${number}${extension}`), `${number} `.repeat(SIZE).slice(0, SIZE));
  const files = readdirSync(root).map((name) => {
    const stat = lstatSync(path.join(root, name), { bigint: true });
    return { path: name, size: SIZE, stamp: stampOf(stat) };
  });
  return { root, files };
}

/** One MDS that requests all files. */
class Reader {
  static #made = 0;
  readonly #mds = `mds${Reader.#made++}`;
  readonly line = new MemoryLine();
  readonly received = new Map<number, string>();
  readonly refused = new Map<number, string>();
  hasEnded = false;
  /** Held back, it takes no further file. */
  #gate: Promise<void> = Promise.resolve();
  #open: () => void = () => undefined;

  stall(): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#gate = promise;
    this.#open = resolve;
  }

  goOn(): void {
    this.#open();
  }

  read(root: string, files: readonly Packed[], parts: ArchiveParts): Promise<[unknown, unknown]> {
    return this.readBy((out) => packInParts(root, files, out, { sharing: { parts, mds: this.#mds } }), files);
  }

  /** @param pack sends the files */
  async readBy(
    pack: (out: OutgoingStream) => Promise<void>,
    files: readonly Packed[],
  ): Promise<[unknown, unknown]> {
    const hooks = { onMessage: () => undefined, onClose: () => undefined };
    const main = new Channel<ArrivingFromAgent, FromMain>(asWebSocket(this.line.a), {
      schema: fromAgentSchema,
      ...hooks,
    });
    const agent = new Channel<FromMain, ArrivingFromAgent>(asWebSocket(this.line.b), {
      schema: fromMainSchema,
      ...hooks,
    });
    const incoming = agent.openIncoming(1);
    const out = main.openOutgoing(1, files.length * SIZE);
    const sizes = files.map(({ size, from = 0 }) => size - from);
    const [sent, taken] = await Promise.allSettled([
      pack(out).catch((error: unknown) => {
        out.abort(String(error));
        throw error;
      }),
      unpackFiles(incoming, sizes, (number) => this.#sink(number)).then(() => (this.hasEnded = true)),
    ]);
    return [sent.status === 'rejected' && sent.reason, taken.status === 'rejected' && taken.reason];
  }

  #sink(number: number) {
    const hash = createHash('sha256');
    return {
      write: async (chunk: Uint8Array) => {
        await this.#gate;
        hash.update(chunk);
      },
      end: async () => {
        this.received.set(number, hash.digest('hex'));
      },
      refuse: async (why: string) => {
        this.refused.set(number, why);
      },
    };
  }

  /** It has every file as it is on disk, but for those that were refused. */
  hasAll(root: string, files: readonly Packed[]): void {
    for (const [number, file] of files.entries()) {
      if (this.refused.has(number)) continue;
      const content = readFileSync(path.join(root, file.path));
      assert.equal(this.received.get(number), createHash('sha256').update(content).digest('hex'), file.path);
    }
  }
}

void describe('A list that several MDS request', () => {
  for (const extension of ['.wav', '.conf']) {
    void it(`is packed once, and arrives whole at each (${extension})`, async (t) => {
      const { root, files } = folderOf(t, extension);
      const parts = new CountingParts(new ManualClock());
      await new Reader().read(root, files, parts);
      const alone = parts.packed;
      parts.clear();
      const readers = Array.from({ length: 16 }, () => new Reader());
      const ends = await Promise.all(readers.map((reader) => reader.read(root, files, parts)));
      assert.deepEqual(ends.flat().filter(Boolean), []);
      assert.equal(parts.packed, 2 * alone);
      for (const reader of readers) {
        assert.equal(reader.refused.size, 0);
        reader.hasAll(root, files);
      }
      parts.clear();
    });
  }

  void it('waits for no reader that stalls, ends or is cut off; one that is behind the window packs for itself', async (t) => {
    const { root, files } = folderOf(t, '.wav');
    const window = 1024 * 1024;
    const parts = new CountingParts(new ManualClock(), window);
    const [stalled, cut, fast] = [new Reader(), new Reader(), new Reader()];
    stalled.stall();
    cut.stall();
    const late = stalled.read(root, files, parts);
    const broken = cut.read(root, files, parts);
    assert.deepEqual(await fast.read(root, files, parts), [false, false]);
    fast.hasAll(root, files);
    assert.ok(parts.bytes <= window, String(parts.bytes));
    assert.ok(stalled.received.size < FILES / 2, String(stalled.received.size));
    cut.line.cut('reset');
    cut.goOn();
    for (const reason of await broken) assert.ok(reason instanceof Error);
    const before = parts.packed;
    stalled.goOn();
    assert.deepEqual(await late, [false, false]);
    stalled.hasAll(root, files);
    assert.ok(parts.packed > before);
    parts.clear();
  });

  void it('is not shared when a file could not be read: the next reader reads it', async (t) => {
    const { root, files } = folderOf(t, '.wav');
    const victim = files[500];
    assert.ok(victim);
    // As when no more files may be opened: the version that was requested can't be had for a moment.
    const asked = files.map((file) => (file === victim ? { ...file, path: 'not there' } : file));
    const parts = new CountingParts(new ManualClock());
    for (let time = 0; time < 3; time++) {
      const reader = new Reader();
      await reader.read(root, asked, parts);
      assert.deepEqual([...reader.refused], [[500, 'ENOENT']]);
    }
    writeFileSync(path.join(root, 'not there'), 'x'.repeat(SIZE));
    const stat = lstatSync(path.join(root, 'not there'), { bigint: true });
    const now = asked.map((file) => (file.path === 'not there' ? { ...file, stamp: stampOf(stat) } : file));
    const reader = new Reader();
    await reader.read(root, now, parts);
    assert.equal(reader.refused.size, 0);
    reader.hasAll(root, now);
    parts.clear();
  });

  void it('is not one list when a file has another version', async (t) => {
    const { root, files } = folderOf(t, '.wav');
    const parts = new CountingParts(new ManualClock());
    // Nothing is kept for one reader alone.
    for (let time = 0; time < 2; time++) await new Reader().read(root, files, parts);
    assert.ok(parts.bytes > 0);
    writeFileSync(path.join(root, '7.wav'), 'y'.repeat(SIZE));
    const stat = lstatSync(path.join(root, '7.wav'), { bigint: true });
    const now = files.map((file) => (file.path === '7.wav' ? { ...file, stamp: stampOf(stat) } : file));
    const reader = new Reader();
    await reader.read(root, now, parts);
    reader.hasAll(root, now);
    parts.clear();
  });

  void it('is shared only where every file is small, whole and can be sent', () => {
    const file: Packed = { path: 'a', size: 20_000, stamp: 's' };
    assert.ok(isPackedInParts([file, file]));
    assert.equal(isPackedInParts([{ ...file, size: 100 }]), false);
    for (const other of [
      { size: 70_000 },
      { from: 1 },
      { refusal: 'changed' },
      { base: { block: 4096, hashes: [] } },
    ])
      assert.equal(isPackedInParts([file, { ...file, ...other }]), false, JSON.stringify(other));
  });
});

void describe('A list that is requested once only', () => {
  for (const extension of ['.wav', '.conf'])
    void it(`arrives whole, and ends only after what its sender waits for (${extension})`, async (t) => {
      const { root, files } = folderOf(t, extension);
      const reader = new Reader();
      const beforeEnd = async (): Promise<void> => {
        // Time to take all that was sent.
        for (let i = 0; i < 100; i++) await turn();
        assert.equal(reader.hasEnded, false);
      };
      const ends = await reader.readBy((out) => packArchive(root, files, out, { beforeEnd }), files);
      assert.deepEqual(ends, [false, false]);
      reader.hasAll(root, files);
    });

  void it('does not end when that fails', async (t) => {
    const { root, files } = folderOf(t, '.wav');
    const beforeEnd = (): Promise<void> => Promise.reject(new Error('not durable'));
    const reader = new Reader();
    const ends = await reader.readBy((out) => packArchive(root, files, out, { beforeEnd }), files);
    for (const each of ends) assert.match(String(each), /not durable/);
  });

  void it('is packed in parts where it can be, else as it is read', async (t) => {
    const { root, files } = folderOf(t, '.wav');
    const parts = new CountingParts(new ManualClock());
    const sharing = { parts, mds: 'mds1' };
    await new Reader().readBy((out) => packArchive(root, files, out, { sharing }), files);
    assert.ok(parts.packed > 0);
    const before = parts.packed;
    // What resumes a transfer is not whole.
    const some = files.map((file, number) => ({ ...file, from: number === 0 ? 1 : 0 }));
    let ends = 0;
    const beforeEnd = async (): Promise<void> => void (ends += 1);
    const reader = new Reader();
    await reader.readBy((out) => packArchive(root, some, out, { sharing, beforeEnd }), some);
    assert.deepEqual([parts.packed, ends], [before, 1]);
  });
});

void describe('The parts that are kept', () => {
  const part = (bytes: number, isWhole = true): ArchivePart => ({ bytes: Buffer.alloc(bytes), isWhole });

  void it('are bounded, and go some seconds after their last use', async () => {
    const clock = new ManualClock();
    const parts = new ArchiveParts(clock, 100);
    await parts.get('of another', 'mds2', async () => part(30));
    for (let number = 0; number < 10; number++) await parts.get(String(number), 'mds1', async () => part(30));
    assert.equal(parts.bytes, 90);
    await parts.get('huge', 'mds1', async () => part(1_000));
    assert.equal(parts.bytes, 0);
    await parts.get('a', 'mds1', async () => part(30));
    clock.advance(4_000);
    await parts.get('a', 'mds2', () => assert.fail('it is kept'));
    clock.advance(4_000);
    assert.equal(parts.bytes, 30);
    clock.advance(2_000);
    assert.equal(parts.bytes, 0);
    assert.equal(clock.timers, 0);
  });

  void it('are none while only one MDS requests any', async () => {
    const clock = new ManualClock();
    const parts = new ArchiveParts(clock);
    const ask = (mds: string): Promise<ArchivePart> => parts.get('a', mds, async () => part(30));
    await ask('mds1');
    await ask('mds1');
    assert.equal(parts.bytes, 0);
    await ask('mds2');
    assert.equal(parts.bytes, 30);
    clock.advance(5_000);
    await ask('mds1');
    assert.equal(parts.bytes, 0);
    clock.advance(5_000);
    assert.equal(clock.timers, 0);
  });

  void it("an error of one reader's is not another's", async () => {
    const parts = new ArchiveParts(new ManualClock());
    const first = Promise.withResolvers<ArchivePart>();
    const failing = parts.get('a', 'mds1', () => first.promise);
    const waiting = ['mds2', 'mds3', 'mds4'].map((mds) => parts.get('a', mds, async () => part(10)));
    first.reject(new Error('too many open files'));
    await assert.rejects(failing, /too many open files/);
    for (const each of await Promise.all(waiting)) assert.equal(each.bytes.length, 10);
    const broken = Promise.withResolvers<ArchivePart>();
    const own = parts.get('b', 'mds1', () => broken.promise);
    const other = parts.get('b', 'mds2', async () => part(20));
    broken.resolve(part(10, false));
    assert.equal((await own).bytes.length, 10);
    assert.equal((await other).bytes.length, 20);
    parts.clear();
  });
});
