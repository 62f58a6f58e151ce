import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { systemClock } from '#host/time/clock.ts';
import { BLOCK_BYTES, BLOCKS } from '#sync/apply/thread/messages.ts';
import { StagingThread } from '#sync/apply/thread/stagingThread.ts';
import { WriteInThread } from '#sync/apply/writing/writeInThread.ts';
import { stagingSink } from '#sync/apply/stagingSink.ts';
import type { StagingResult } from '#core/changeSet.ts';
import { eventually } from '../../../../support/harness/host.ts';
import { ApplyPlace, fileEntry } from '../../../../support/unit/applyPlace.ts';
import { handlesIn } from '../../../../support/unit/handlesIn.ts';
import { sameBytes } from '../../../../support/unit/sameBytes.ts';

const isOpen = (fd: number): boolean => existsSync(`/proc/self/fd/${fd}`);
const sha256 = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex');

function given(t: TestContext): {
  at: (name: string) => string;
  thread: StagingThread;
  /** Writes a new file. */
  writer: (name: string) => WriteInThread;
} {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'xds-in-thread-'));
  const thread = new StagingThread(systemClock);
  t.after(async () => {
    await thread.close();
    rmSync(folder, { recursive: true });
  });
  const at = (name: string): string => path.join(folder, name);
  return { at, thread, writer: (name) => new WriteInThread(openSync(at(name), 'wx'), thread) };
}

/** Adds content in pieces of the given sizes, from a buffer that is used again. */
async function add(file: WriteInThread, content: Buffer, sizes: readonly number[]): Promise<void> {
  const buffer = Buffer.alloc(Math.max(...sizes));
  for (let at = 0, turn = 0; at < content.length; turn++) {
    const length = content.copy(buffer, 0, at, at + (sizes[turn % sizes.length] ?? 1));
    await file.add(buffer.subarray(0, length));
    buffer.fill(0);
    at += length;
  }
}

/** Adds a part of another open file. @returns the bytes of it that are there */
async function addFrom(file: WriteInThread, from: number, start: number, end: number): Promise<number> {
  let at = start;
  for (let count = -1; at < end && count !== 0; at += count) count = await file.addFrom(from, at, end);
  return at - start;
}

void test('pieces of any size, in a buffer that is used again, are written in order and hashed', async (t) => {
  const { at, thread } = given(t);
  const content = sameBytes('content', 20 * BLOCK_BYTES + 12_345);
  for (const [number, sizes] of [
    [100_000, 200_000],
    [BLOCK_BYTES, 7],
    [3 * BLOCK_BYTES + 1],
    [content.length],
  ].entries()) {
    const file = at(String(number));
    const fd = openSync(file, 'wx');
    const writing = new WriteInThread(fd, thread);
    await add(writing, content, sizes);
    assert.equal(await writing.flush(), sha256(content));
    assert.ok(readFileSync(file).equals(content));
    writing.close();
    await eventually('it is closed', () => !isOpen(fd));
  }
});

void test('parts of another file between the pieces are written in order and hashed', async (t) => {
  const { at, thread } = given(t);
  const other = sameBytes('other', 5 * BLOCK_BYTES + 3);
  writeFileSync(at('other'), other);
  const from = openSync(at('other'), 'r');
  t.after(() => closeSync(from));
  const content = sameBytes('content', 300_000);
  const fd = openSync(at('file'), 'wx');
  const writing = new WriteInThread(fd, thread);
  const made: Buffer[] = [];
  for (const [start, end] of [
    [0, 1],
    [7, 2 * BLOCK_BYTES],
    [BLOCK_BYTES, BLOCK_BYTES],
    [1, other.length],
  ] as const) {
    await add(writing, content, [100_000]);
    assert.equal(await addFrom(writing, from, start, end), end - start);
    made.push(content, other.subarray(start, end));
  }
  const expected = Buffer.concat(made);
  assert.equal(await writing.flush(), sha256(expected));
  assert.ok(readFileSync(at('file')).equals(expected));
  writing.close();
});

void test('a part that can not be read is an error; one that is cut short is not; no block is lost', async (t) => {
  const { at, thread } = given(t);
  writeFileSync(at('other'), 'short');
  const [from, folder] = [openSync(at('other'), 'r'), openSync(at('.'), 'r')];
  t.after(() => [from, folder].forEach((fd) => closeSync(fd)));
  for (let i = 0; i < BLOCKS + 1; i++) {
    const writing = new WriteInThread(openSync(at(`file ${i}`), 'wx'), thread);
    assert.equal(await addFrom(writing, from, 2, 1_000), 3);
    await assert.rejects(addFrom(writing, folder, 0, 1_000), { code: 'EISDIR' });
    if (i % 2 === 0) assert.equal(await writing.flush(), sha256(Buffer.from('ort')));
    writing.close();
  }
  writeFileSync(at('long'), sameBytes('long', 5 * BLOCK_BYTES));
  const long = openSync(at('long'), 'r');
  const readOnly = new WriteInThread(long, thread);
  await assert.rejects(
    async () => {
      await addFrom(readOnly, long, 0, 5 * BLOCK_BYTES);
      await addFrom(readOnly, long, 0, 5 * BLOCK_BYTES);
    },
    { message: 'EBADF' },
  );
  readOnly.close();
});

void test('more files than there are blocks are written side by side, and each has its own hash', async (t) => {
  const { at, thread } = given(t);
  const files = Array.from({ length: BLOCKS + 3 }, (_, number) => {
    const content = sameBytes(`content ${number}`, 3 * BLOCK_BYTES + number);
    return {
      content,
      file: at(String(number)),
      writing: new WriteInThread(openSync(at(String(number)), 'wx'), thread),
    };
  });
  await Promise.all(
    files.map(async ({ content, file, writing }) => {
      await add(writing, content, [100_000]);
      assert.equal(await writing.flush(), sha256(content));
      assert.ok(readFileSync(file).equals(content));
      writing.close();
    }),
  );
});

void test('an error of the disk comes with the next piece, and in the end; the file is closed, and no block is lost', async (t) => {
  const { at, thread } = given(t);
  const content = sameBytes('content', 4 * BLOCK_BYTES);
  for (let i = 0; i < BLOCKS + 1; i++) {
    const fd = openSync(at('read only'), 'a+');
    const readOnly = openSync(at('read only'), 'r');
    const writing = new WriteInThread(readOnly, thread);
    await assert.rejects(
      async () => {
        await add(writing, content, [BLOCK_BYTES - 1]);
        await writing.flush();
      },
      { message: 'EBADF' },
    );
    await assert.rejects(writing.flush(), { message: 'EBADF' });
    writing.close();
    await eventually('it is closed', () => !isOpen(readOnly));
    new WriteInThread(fd, thread).close();
  }
  const fd = openSync(at('next'), 'wx');
  const next = new WriteInThread(fd, thread);
  await add(next, content, [100_000]);
  assert.equal(await next.flush(), sha256(content));
  next.close();
});

void test('a file that is given up is closed only when nothing is being written to it, and its hash is forgotten', async (t) => {
  const { at, thread } = given(t);
  const content = sameBytes('content', 6 * BLOCK_BYTES + 1);
  const fd = openSync(at('given up'), 'wx');
  const writing = new WriteInThread(fd, thread);
  await add(writing, content, [BLOCK_BYTES]);
  writing.close();
  assert.ok(isOpen(fd));
  await eventually('it is closed', () => !isOpen(fd));
  assert.ok(readFileSync(at('given up')).equals(content.subarray(0, 6 * BLOCK_BYTES)));
  // Its number is another file's now.
  const lower: number[] = [];
  t.after(() => lower.forEach((each) => closeSync(each)));
  let same = openSync(at('other'), 'wx');
  // Files of earlier tests may have been closed meanwhile.
  while (same < fd) {
    lower.push(same);
    same = openSync(at(`other ${lower.length}`), 'wx');
  }
  assert.equal(same, fd);
  const other = new WriteInThread(same, thread);
  await add(other, content, [100_000]);
  assert.equal(await other.flush(), sha256(content));
  other.close();
});

void test('files that are given up, each in the middle of a block, leave all blocks to the next one', async (t) => {
  const { at, thread } = given(t);
  for (let i = 0; i < BLOCKS; i++) {
    const writing = new WriteInThread(openSync(at(String(i)), 'wx'), thread);
    await writing.add(Buffer.of(1));
    writing.close();
  }
  const next = new WriteInThread(openSync(at('next'), 'wx'), thread);
  const added = add(next, sameBytes('content', 2 * BLOCK_BYTES), [100_000]);
  assert.notEqual(
    await Promise.race([added, new Promise((resolve) => setTimeout(resolve, 5_000, 'none'))]),
    'none',
  );
  next.close();
});

void test('files whose next bytes are long in coming leave the blocks to those that have more', async (t) => {
  const { at, writer } = given(t);
  const content = sameBytes('content', 20 * BLOCK_BYTES + 5);
  writeFileSync(at('content'), content);
  const from = openSync(at('content'), 'r');
  t.after(() => closeSync(from));
  const slow = Array.from({ length: 3 * BLOCKS }, (_, i) => ({
    size: 2 * BLOCK_BYTES + i,
    file: writer(`slow ${i}`),
  }));
  /** Some of it arrives, some is read from another file. */
  const take = async (file: WriteInThread, start: number, end: number, isRead: boolean): Promise<unknown> =>
    isRead ? addFrom(file, from, start, end) : add(file, content.subarray(start, end), [100_000]);
  const parts = (part: 0 | 1): Promise<unknown>[] =>
    slow.map(({ size, file }, i) => {
      const middle = Math.round(size / 3);
      return take(file, part === 0 ? 0 : middle, part === 0 ? middle : size, i % 2 === part);
    });
  const quick = ['while they begin', 'while they wait', 'and reads'].map((name) => writer(name));
  const [first, second, third] = quick.map((file, i) => () => take(file, 0, content.length, i === 2));
  await Promise.all([...parts(0), first?.()]);
  await second?.();
  await third?.();
  for (const file of quick) assert.equal(await file.flush(), sha256(content));
  await Promise.all(parts(1));
  for (const { size, file } of slow) assert.equal(await file.flush(), sha256(content.subarray(0, size)));
  for (const [i, { size }] of slow.entries())
    assert.ok(readFileSync(at(`slow ${i}`)).equals(content.subarray(0, size)));
  for (const file of [...quick, ...slow.map((each) => each.file)]) file.close();
});

void test('when all blocks are in the hands of files that wait, one of them is given up, not one of a file that has none', async (t) => {
  const { at, writer } = given(t);
  const folder = openSync(at('.'), 'r');
  t.after(() => closeSync(folder));
  const [closed, full] = [writer('closed'), writer('full')];
  await closed.add(Buffer.of(1));
  closed.close();
  await add(full, Buffer.alloc(BLOCK_BYTES), [BLOCK_BYTES - 1]);
  // Its block is free again.
  await full.flush();
  const waiting = Array.from({ length: BLOCKS }, (_, i) => writer(`waiting ${i}`));
  for (const file of waiting) {
    await file.add(Buffer.of(1));
    await assert.rejects(addFrom(file, folder, 0, 10), { code: 'EISDIR' });
  }
  const content = sameBytes('content', 3 * BLOCK_BYTES);
  const next = writer('next');
  await add(next, content, [100_000]);
  assert.equal(await next.flush(), sha256(content));
  for (const file of waiting) assert.equal(await file.flush(), sha256(Buffer.of(1)));
  for (const file of [full, next, ...waiting]) file.close();
});

void test('a block that is being filled from another file is not given up meanwhile', async (t) => {
  const { at, writer } = given(t);
  const content = sameBytes('content', 3 * BLOCK_BYTES);
  writeFileSync(at('content'), content);
  const from = openSync(at('content'), 'r');
  t.after(() => closeSync(from));
  const [oldest, ...others] = Array.from({ length: BLOCKS }, (_, i) => writer(`waiting ${i}`));
  assert.ok(oldest);
  for (const file of [oldest, ...others]) await file.add(Buffer.of(1));
  const reading = oldest.addFrom(from, 0, 1_000);
  const next = writer('next');
  await add(next, content, [100_000]);
  assert.equal(await next.flush(), sha256(content));
  assert.equal(await reading, 1_000);
  assert.equal(await oldest.flush(), sha256(Buffer.concat([Buffer.of(1), content.subarray(0, 1_000)])));
  for (const file of others) assert.equal(await file.flush(), sha256(Buffer.of(1)));
  for (const file of [oldest, next, ...others]) file.close();
});

void test('a file whose beginning an interrupted transfer has left is verified as a whole', async (t) => {
  const place = new ApplyPlace(t);
  const thread = new StagingThread(systemClock);
  t.after(() => thread.close());
  const applier = place.again(0, thread);
  const content = sameBytes('content', 20 * BLOCK_BYTES);
  const entry = fileEntry(content);
  const half = content.length / 2 + 1;
  {
    using interrupted = applier.begin(64 * 1024 * 1024);
    const sink = stagingSink(interrupted, entry, () => undefined, await interrupted.resume(entry));
    await sink.write(content.subarray(0, half));
    await sink.interrupted?.();
  }
  using staging = applier.begin(64 * 1024 * 1024);
  const resumed = await staging.resume(entry);
  assert.equal(resumed.size, half);
  const results: StagingResult[] = [];
  const sink = stagingSink(staging, entry, (each) => results.push(each), resumed);
  await sink.write(content.subarray(half));
  await sink.end();
  assert.deepEqual(
    results.map(({ result }) => result),
    ['staged'],
  );
});

for (const isInThread of [true, false]) {
  void test(`what was copied of another file stays when that is interrupted, ${isInThread ? 'in the thread' : 'in the pool'}`, async (t) => {
    const place = new ApplyPlace(t);
    const thread = new StagingThread(systemClock);
    t.after(() => thread.close());
    const content = sameBytes('content', 5 * BLOCK_BYTES);
    writeFileSync(place.at('other'), content);
    const from = openSync(place.at('other'), 'r');
    t.after(() => closeSync(from));
    const applier = place.again(0, thread);
    const entry = fileEntry(content);
    {
      using staging = applier.begin(0);
      const file = await staging.resume(entry);
      let pieces = 0;
      const end = (): void => assert.ok(pieces++ < 2, 'the program ends');
      const part = { start: 0, end: content.length };
      await assert.rejects(
        file.copyBehind(from, part, isInThread ? thread : undefined, end),
        /the program ends/,
      );
      await file.interrupted();
    }
    using staging = applier.begin(0);
    const { size } = await staging.resume(entry);
    assert.ok(size > 0 && size < content.length, `${size} bytes`);
    assert.equal(staging.file().size, 0);
  });
}

void test('a file that was discarded does not meddle with the next one, which has its descriptor', async (t) => {
  const place = new ApplyPlace(t);
  const thread = new StagingThread(systemClock);
  t.after(() => thread.close());
  using staging = place.again(0, thread).begin(0);
  const content = sameBytes('content', 3 * BLOCK_BYTES);
  // The thread has started, and no lower descriptor is free.
  const first = staging.file();
  await first.writeBehind(content, thread);
  await first.flush();
  const taken = Array.from({ length: 30 }, () => openSync('/dev/null', 'r'));
  t.after(() => taken.forEach((fd) => closeSync(fd)));
  const discarded = staging.file();
  await discarded.writeBehind(content, thread);
  const handles = (): number => handlesIn(place.root).length;
  const before = handles();
  discarded.discard();
  await eventually('it is closed', () => handles() < before);
  const next = staging.file();
  await next.writeBehind(content, thread);
  await discarded.interrupted();
  await next.flush();
  assert.ok(next.finish(fileEntry(content)));
});

void test('the end of the thread is an error of the file, not of the program', async (t) => {
  const { at, thread } = given(t);
  const fd = openSync(at('file'), 'wx');
  const writing = new WriteInThread(fd, thread);
  await add(writing, sameBytes('content', BLOCK_BYTES), [BLOCK_BYTES]);
  await thread.close();
  await assert.rejects(writing.flush(), /thread that stages files ended/);
  writing.close();
  await eventually('it is closed', () => !isOpen(fd));
});

for (const [bytes, isUsed] of [
  [16 * 1024 * 1024, true],
  [16 * 1024 * 1024 - 1, false],
] as const) {
  void test(`a change set of ${bytes} bytes has its larger files written ${isUsed ? 'in the thread' : 'as before'}, and verified`, async (t) => {
    const place = new ApplyPlace(t);
    const thread = new StagingThread(systemClock);
    t.after(() => thread.close());
    using staging = place.again(0, thread).begin(bytes);
    const content = sameBytes('content', 1_000_000);
    writeFileSync(place.at('other'), content);
    const fd = openSync(place.at('other'), 'r');
    t.after(() => closeSync(fd));
    for (const [entry, result] of [
      [fileEntry(content), 'staged'],
      [fileEntry(Buffer.concat([content.subarray(1), Buffer.of(7)])), 'stale'],
    ] as const) {
      const results: StagingResult[] = [];
      const sink = stagingSink(staging, entry, (each) => results.push(each));
      for (let at = 0; at < content.length; at += 60_000) await sink.write(content.subarray(at, at + 60_000));
      await sink.end();
      const copied = stagingSink(staging, entry, (each) => results.push(each));
      await copied.write(content.subarray(0, 10));
      await copied.copy(fd, 10, content.length);
      await copied.end();
      assert.deepEqual(
        results.map((each) => each.result),
        [result, result],
      );
    }
    assert.equal(thread.isRunning, isUsed);
  });
}
