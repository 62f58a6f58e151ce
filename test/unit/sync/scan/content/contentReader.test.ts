import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, it, type TestContext } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { stampOf } from '#core/manifest/stamp.ts';
import { Folder } from '#host/fs/folder.ts';
import { systemClock } from '#host/time/clock.ts';
import { StagingThread } from '#sync/apply/thread/stagingThread.ts';
import { Owners } from '#host/fs/owners.ts';
import { ContentReader } from '#sync/scan/content/contentReader.ts';
import type { ChunkList } from '#sync/transfer/chunkList.ts';
import { Replica } from '#sync/scan/replica.ts';
import { ScanIndexTable } from '#sync/state/scanIndex.ts';
import { ApplyPlace } from '../../../../support/unit/applyPlace.ts';
import { handlesIn } from '../../../../support/unit/handlesIn.ts';
import { ManualClock } from '../../../../support/wire/manualClock.ts';

const MEBIBYTE = 1024 * 1024;
const SIZE = 9 * MEBIBYTE;

/** MiB that this process has read so far. */
const read = (): number => Number(/rchar: (\d+)/.exec(readFileSync('/proc/self/io', 'utf8'))?.[1]) / MEBIBYTE;

const hashOf = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex');

void describe('A large file that settles', () => {
  let place: string;
  let folder: Folder;
  let clock: ManualClock;
  let reader: ContentReader;
  let abort: AbortController;
  const file = (): string => path.join(place, 'file');
  const wanted = (): { before: string; signal: AbortSignal } => ({
    before: 'the hash of the version before',
    signal: abort.signal,
  });
  const expect = (delay = 300, name = 'file'): void => {
    const stat = statSync(path.join(place, name), { bigint: true });
    reader.expect(folder, name, stat, { ...wanted(), in: delay });
  };
  const hash = (): Promise<string | undefined> =>
    reader.hash(folder, 'file', stampOf(statSync(file(), { bigint: true })), wanted());
  /** MiB that are read by this. */
  const readBy = async (work: () => Promise<unknown>): Promise<number> => {
    const before = read();
    await work();
    return read() - before;
  };

  beforeEach(() => {
    place = mkdtempSync(path.join(os.tmpdir(), 'xds-content-'));
    folder = Folder.openRoot(place);
    clock = new ManualClock();
    reader = new ContentReader(clock);
    abort = new AbortController();
    writeFileSync(file(), Buffer.alloc(SIZE, 'as long as no piece is like the next'));
  });
  afterEach(async () => {
    abort.abort();
    await reader.ended();
    assert.deepEqual(handlesIn(file()), []);
    folder.close();
    rmSync(place, { recursive: true });
  });

  void it('is read meanwhile, with its chunks, and not again', async () => {
    const expected = hashOf(file());
    expect();
    assert.ok((await readBy(turn)) < 1, 'not before a later write has another ctime');
    clock.advance(30);
    await reader.ended();
    assert.ok((await readBy(async () => assert.equal(await hash(), expected))) < 1);
    assert.ok(reader.lists.get(expected));
    assert.ok((await readBy(hash)) > 8, 'once only');
  });

  void it('is hashed by another thread while its chunks are listed', async (t) => {
    const thread = new StagingThread(systemClock);
    t.after(() => thread.close());
    using lent = thread.lend();
    const hashed = t.mock.method(lent.thread, 'hash');
    reader.hashIn(thread);
    assert.equal(await hash(), hashOf(file()));
    assert.ok(hashed.mock.callCount() > 0);
  });

  void it('is divided and digested where it differs from the version before', async (t) => {
    const before = await hash();
    assert.ok(before);
    const digest = t.mock.method(crypto.subtle, 'digest');
    appendFileSync(file(), 'more');
    const stamp = stampOf(statSync(file(), { bigint: true }));
    assert.ok(await reader.hash(folder, 'file', stamp, { ...wanted(), before }));
    assert.ok(digest.mock.calls.length < 3, `${digest.mock.calls.length} digests`);
  });

  void it('is listed before it has ever changed where others have it, as long as nothing waits for it', async () => {
    const signal = new AbortController().signal;
    const known = new Map<string, ChunkList>();
    const stampOfFile = () => stampOf(statSync(file(), { bigint: true }));
    const kept = {
      get: (of: string) => known.get(of),
      add: (of: string, list: ChunkList) => void known.set(of, list),
    };
    const source = new ContentReader(clock);
    source.listAll(kept);
    const first = await source.hash(folder, 'file', stampOfFile(), { before: undefined, signal });
    assert.ok(first !== undefined && source.lists.get(first) !== undefined && known.has(first));
    const afterStart = new ContentReader(clock);
    afterStart.listAll(kept);
    assert.ok(afterStart.lists.get(first), 'also after a start');
    known.clear();
    assert.ok(afterStart.lists.get(first), 'it is not read for each who asks');
    const full = new ContentReader(clock);
    full.listAll(kept);
    full.lists.add('others', {
      usual: 65_536,
      digests: 'd'.repeat(3 * 1024 * 1024),
      lengths: new Uint32Array(),
    });
    await full.hash(folder, 'file', stampOfFile(), { before: undefined, signal });
    assert.equal(full.lists.get(first), undefined, 'as long as there is room for those that change');
    source.caughtUp();
    appendFileSync(file(), 'new');
    const later = await source.hash(folder, 'file', stampOfFile(), { before: undefined, signal });
    assert.ok(later !== undefined && source.lists.get(later) === undefined);
    const elsewhere = await reader.hash(folder, 'file', stampOfFile(), { before: undefined, signal });
    assert.ok(elsewhere !== undefined && reader.lists.get(elsewhere) === undefined);
  });

  void it('is waited for when it has settled before it was read', async () => {
    const expected = hashOf(file());
    expect();
    clock.advance(30);
    const whole = await readBy(async () => assert.equal(await hash(), expected));
    assert.ok(whole > 8 && whole < 10, `${whole} MiB`);
  });

  void it('is read again when it has changed since', async () => {
    expect();
    clock.advance(30);
    await reader.ended();
    appendFileSync(file(), 'more');
    const expected = hashOf(file());
    assert.equal(await hash(), expected);
  });

  void it('is read no further when it changes, and is left alone for a while then', async () => {
    expect();
    clock.advance(30);
    assert.ok(
      (await readBy(async () => {
        await turn();
        appendFileSync(file(), 'more');
        clock.advance(100);
        await reader.ended();
      })) < 5,
    );
    for (const [later, isRead] of [
      [0, false],
      [900, false],
      [100, true],
    ] as const) {
      clock.advance(later);
      expect();
      const mebibytes = await readBy(async () => {
        clock.advance(30);
        await reader.ended();
      });
      assert.equal(mebibytes > 8, isRead, `${mebibytes} MiB, ${later} ms later`);
    }
  });

  void it('is read in its last version when that comes before the reading', async () => {
    expect();
    clock.advance(20);
    appendFileSync(file(), 'more');
    expect();
    clock.advance(30);
    assert.ok((await readBy(() => reader.ended())) > 8);
    const expected = hashOf(file());
    assert.ok((await readBy(async () => assert.equal(await hash(), expected))) < 1);
  });

  void it('is not read while a program has it open for writing, nor when it will be read at once, nor when it is small', async () => {
    const mebibytes = await readBy(async () => {
      const writer = openSync(file(), 'r+');
      expect();
      clock.advance(30);
      await reader.ended();
      closeSync(writer);
      expect(30);
      clock.advance(30);
      await reader.ended();
      writeFileSync(file(), Buffer.alloc(7 * MEBIBYTE));
      expect();
      clock.advance(30);
      await reader.ended();
    });
    assert.ok(mebibytes < 1, `${mebibytes} MiB`);
  });

  void it('is read alone, whenever another one changes', async () => {
    writeFileSync(path.join(place, 'other'), Buffer.alloc(SIZE));
    for (const delay of [0, 30]) {
      const mebibytes = await readBy(async () => {
        expect();
        clock.advance(delay);
        await turn();
        expect(300, 'other');
        clock.advance(30);
        await reader.ended();
      });
      assert.ok(mebibytes > 8 && mebibytes < 10, `${mebibytes} MiB, after ${delay} ms`);
    }
  });

  void it('is read no further by a program that ends', async () => {
    expect();
    clock.advance(30);
    await turn();
    abort.abort();
    assert.ok((await readBy(() => reader.ended())) < 5);
    await assert.rejects(hash());
  });
});

/** A replica that is not scanned yet, and how its files settle. */
function replicaAt(
  t: TestContext,
  place: ApplyPlace,
): { replica: Replica; settle: () => Promise<void>; clock: ManualClock } {
  const clock = new ManualClock();
  const replica = new Replica({
    rules: { name: 'files', settle: 300, emptyIsHeld: false, whole: false },
    path: place.root,
    nested: new Set(),
    index: new ScanIndexTable(place.db, 'files'),
    owners: new Owners(),
    clock,
    events: {
      onChanges: () => undefined,
      onHeld: () => undefined,
      onError: (error) => assert.fail(String(error)),
    },
  });
  t.after(() => replica.close());
  const settle = async (): Promise<void> => {
    clock.advance(300);
    // One more piece of work, after that of the clock.
    await replica.recheck([]);
  };
  return { replica, settle, clock };
}

void it('A directory has the hash of a large file as soon as that has settled', async (t) => {
  const place = new ApplyPlace(t);
  const { replica, clock } = replicaAt(t, place);
  writeFileSync(place.at('file'), Buffer.alloc(SIZE, 'x'));
  await replica.rescan();
  clock.advance(30);
  await replica.contents.ended();
  const before = read();
  clock.advance(270);
  // One more piece of work, after that of the clock.
  await replica.recheck([]);
  assert.equal(replica.get('file')?.kind, 'settled');
  assert.ok(read() - before < 1);
});

for (const [what, files] of [
  ['some', ['first']],
  ['none', []],
] as const) {
  void it(`A directory lists the large files that are there at its start (${what}), and none that come later`, async (t) => {
    const place = new ApplyPlace(t);
    const { replica, settle } = replicaAt(t, place);
    const listed = new Set<string>();
    replica.contents.listAll({ get: () => undefined, add: (hash) => void listed.add(hash) });
    for (const file of files) writeFileSync(place.at(file), Buffer.alloc(SIZE, file));
    await replica.rescan();
    await settle();
    writeFileSync(place.at('later'), Buffer.alloc(SIZE, 'later'));
    await replica.recheck(['later']);
    await settle();
    assert.equal(replica.get('later')?.kind, 'settled');
    assert.deepEqual(
      [...listed],
      files.map((file) => hashOf(place.at(file))),
    );
  });
}
