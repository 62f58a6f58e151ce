import assert from 'node:assert/strict';
import { lstatSync, readdirSync, writeFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { Folder } from '#host/fs/folder.ts';
import { type Clock, systemClock } from '#host/time/clock.ts';
import type { FileEntry } from '#core/manifest/entry.ts';
import type { StagingResult } from '#core/changeSet.ts';
import { BLOCK_BYTES, BLOCKS, type StageAnswer, type WholeFile } from '#sync/apply/thread/messages.ts';
import type { Block } from '#sync/apply/thread/runningThread.ts';
import { stageAll } from '#sync/apply/thread/stageAll.ts';
import { StagingThread } from '#sync/apply/thread/stagingThread.ts';
import { isWorthThread, WholeFiles } from '#sync/apply/thread/wholeFiles.ts';
import { eventually } from '../../../../support/harness/host.ts';
import { ApplyPlace, fileEntry } from '../../../../support/unit/applyPlace.ts';

type Case = { place: ApplyPlace; thread: StagingThread; clock: HeldClock };

/** A clock on which no time passes by itself. */
class HeldClock implements Clock {
  readonly due: (() => void)[] = [];

  now(): number {
    return systemClock.now();
  }

  monotonic(): number {
    return systemClock.monotonic();
  }

  after(_milliseconds: number, callback: () => void): () => void {
    this.due.push(callback);
    return () => this.due.splice(this.due.indexOf(callback), 1);
  }
}

function given(t: TestContext): Case {
  const place = new ApplyPlace(t);
  const clock = new HeldClock();
  const thread = new StagingThread(clock);
  t.after(() => thread.close());
  return { place, thread, clock };
}

function inStage(place: ApplyPlace): string[] {
  return readdirSync(place.at('.xivo-xds-sync/stage'));
}

/** Has one file staged, its content in pieces. */
async function feed(
  files: WholeFiles,
  entry: FileEntry,
  content: string,
  onResult: (result: StagingResult) => void,
  piece = 1_000,
): Promise<void> {
  const sink = files.sink(entry, onResult);
  const bytes = Buffer.from(content);
  for (let at = 0; at < bytes.length; at += piece) await sink.write(bytes.subarray(at, at + piece));
  await sink.end();
}

/** Contents of different lengths, more than all blocks hold at a time; one is empty, and one fills a block. */
const CONTENTS = Array.from({ length: 700 }, (_, i) => `${i} `.repeat((i * 7) % 2_000));
CONTENTS.push('', 'x'.repeat(256 * 1024));

void test('every file is staged with its content, its mode and its time, whatever the pieces are', async (t) => {
  const { place, thread } = given(t);
  using staging = place.applier.begin(0);
  const results = new Map<string, StagingResult>();
  {
    await using files = new WholeFiles(thread, staging);
    for (const [i, content] of CONTENTS.entries())
      await feed(
        files,
        fileEntry(content, 0o640),
        content,
        (result) => results.set(content, result),
        400 + i * 3,
      );
    await files.end();
  }
  const distinct = new Set(CONTENTS);
  assert.equal(results.size, distinct.size);
  const steps = [...results].map(([content, result], number) => {
    assert.ok(result.result === 'staged');
    const entry = fileEntry(content, 0o640);
    return {
      kind: 'put',
      path: `${number}`,
      entry,
      expect: undefined,
      staged: result.staged,
      reason: '',
    } as const;
  });
  const { outcomes } = await staging.commit(steps, () => undefined);
  assert.ok(outcomes.every(({ result }) => result === 'done'));
  for (const [number, content] of [...results.keys()].entries()) {
    assert.equal(place.read(`${number}`), content);
    const { mode, mtimeNs, ino } = lstatSync(place.at(`${number}`), { bigint: true });
    assert.deepEqual([mode & 0o7777n, String(mtimeNs)], [0o640n, fileEntry('').mtime]);
    assert.equal(String(ino), steps[number]?.staged.inode);
  }
});

void test('what was not announced is not staged, nor what the sender does not have any more', async (t) => {
  const { place, thread } = given(t);
  using staging = place.applier.begin(0);
  const results: StagingResult[] = [];
  await using files = new WholeFiles(thread, staging);
  const onResult = (result: StagingResult): void => void results.push(result);
  await feed(files, fileEntry('announced'), 'something', onResult);
  files.sink(fileEntry('gone'), onResult).refuse('changed');
  await files.end();
  assert.deepEqual(
    results.toSorted((a, b) => a.result.localeCompare(b.result)),
    [
      { result: 'stale', why: 'changed' },
      { result: 'stale', why: 'its content is not what was announced', isOther: true },
    ],
  );
  assert.deepEqual(inStage(place), []);
});

void test('a file that can not be made is named with its error, and the others are there', async (t) => {
  const { place, thread } = given(t);
  using staging = place.applier.begin(0);
  const results: StagingResult[] = [];
  await using files = new WholeFiles(thread, staging);
  writeFileSync(place.at(`.xivo-xds-sync/stage/${staging.id}.0`), 'of another');
  for (const content of ['first', 'second'])
    await feed(files, fileEntry(content), content, (result) => results.push(result));
  await files.end();
  assert.deepEqual(
    results.map(({ result }) => result),
    ['failed', 'staged'],
  );
  assert.deepEqual(results[0], { result: 'failed', why: 'EEXIST' });
  const broken = { ...fileEntry('third'), mtime: 'no time' };
  await feed(files, broken, 'third', (result) => results.push(result));
  await files.end();
  assert.equal(results[2]?.result, 'failed');
  assert.deepEqual(inStage(place), [`${staging.id}.0`, `${staging.id}.1`]);
});

void test('after an archive that broke off, nothing of it is left', async (t) => {
  const { place, thread } = given(t);
  const results: StagingResult[] = [];
  const onResult = (result: StagingResult): void => void results.push(result);
  {
    using staging = place.applier.begin(0);
    await using files = new WholeFiles(thread, staging);
    const content = 'x'.repeat(2_000);
    for (let i = 0; i < 400; i++) await feed(files, fileEntry(content), content, onResult);
    await files.sink(fileEntry('half'), onResult).write(Buffer.from('ha'));
  }
  assert.ok(results.length > 0 && results.length < 400);
  assert.deepEqual(inStage(place), []);
  // Its blocks are free again.
  for (let i = 0; i < 20; i++) {
    using staging = place.applier.begin(0);
    await using files = new WholeFiles(thread, staging);
    await feed(files, fileEntry('started'), 'begun', onResult);
  }
  // And each is used as before.
  using staging = place.applier.begin(0);
  await using files = new WholeFiles(thread, staging);
  results.length = 0;
  const block = 'z'.repeat(BLOCK_BYTES);
  for (let i = 0; i < 2 * BLOCKS; i++) await feed(files, fileEntry(block), block, onResult, BLOCK_BYTES);
  await files.end();
  assert.deepEqual([...new Set(results.map(({ result }) => result))], ['staged']);
});

void test('what the thread has of an archive that broke off is given up, and its answer is waited for', async (t) => {
  const { place } = given(t);
  using staging = place.applier.begin(0);
  const asked = Promise.withResolvers<StageAnswer>();
  const block = { number: 0, bytes: new Uint8Array(BLOCK_BYTES) };
  const thread = {
    take: () => Promise.resolve(block),
    stage: () => asked.promise,
    giveUp: (given: Block) => asked.resolve(given === block ? [{ result: 'stale', why: 'given up' }] : []),
    giveBack: () => undefined,
  };
  const lend = (): object => ({ thread, [Symbol.dispose]: () => undefined });
  const results: StagingResult[] = [];
  {
    await using files = new WholeFiles({ lend } as unknown as StagingThread, staging);
    await feed(files, fileEntry('content'), 'content', (result) => results.push(result));
    files.end().catch(() => undefined);
  }
  assert.deepEqual(results, [{ result: 'stale', why: 'given up' }]);
});

void test('files of a block that was given up are not made any more', (t) => {
  const { place } = given(t);
  using staging = place.applier.begin(0);
  const files = ['a', 'b', 'c'].map((name, at) => ({ name, at, entry: fileEntry(name) }));
  const stage = Folder.opened(staging.stage);
  let looks = 0;
  const answer = stageAll(stage, Buffer.from('abc'), files, () => ++looks > 1);
  assert.deepEqual(
    answer.map(({ result }) => result),
    ['staged', 'stale', 'stale'],
  );
  assert.deepEqual(inStage(place), ['a']);
});

void test('if the thread ends, the transfer that waits for it fails, nothing is left, and the next one gets another', async (t) => {
  const { place, thread } = given(t);
  const content = 'y'.repeat(200_000);
  const fill = async (files: WholeFiles): Promise<void> => {
    for (let i = 0; i < 30; i++) await feed(files, fileEntry(content), content, () => undefined, 200_000);
    await files.end();
  };
  {
    using staging = place.applier.begin(0);
    await using files = new WholeFiles(thread, staging);
    // As if it had just been staged.
    writeFileSync(place.at(`.xivo-xds-sync/stage/${staging.id}.0`), content);
    const filled = assert.rejects(fill(files), /the thread that stages files ended/);
    await thread.close();
    await filled;
    await assert.rejects(files.end(), /the thread that stages files ended/);
  }
  assert.deepEqual(inStage(place), []);
  using staging = place.applier.begin(0);
  await using files = new WholeFiles(thread, staging);
  await fill(files);
  assert.equal(inStage(place).length, 30);
});

void test('if the thread fails, the next one gets another', async (t) => {
  const { place, thread } = given(t);
  using staging = place.applier.begin(0);
  {
    using lent = thread.lend();
    const block = await lent.thread.take();
    const nonsense = [undefined] as unknown as WholeFile[];
    await assert.rejects(lent.thread.stage(staging.stage, block, nonsense), TypeError);
  }
  const results: StagingResult[] = [];
  await using files = new WholeFiles(thread, staging);
  await feed(files, fileEntry('after it'), 'after it', (result) => results.push(result));
  await files.end();
  assert.equal(results[0]?.result, 'staged');
});

void test('it ends when it has had no work for a while, and not before', async (t) => {
  const { place, thread, clock } = given(t);
  using staging = place.applier.begin(0);
  const first = new WholeFiles(thread, staging);
  const second = new WholeFiles(thread, staging);
  await first[Symbol.asyncDispose]();
  assert.equal(clock.due.length, 0);
  await second[Symbol.asyncDispose]();
  assert.equal(clock.due.length, 1);
  const third = thread.lend();
  assert.equal(clock.due.length, 0);
  third[Symbol.dispose]();
  assert.ok(thread.isRunning);
  clock.due[0]?.();
  await eventually('it has ended', () => !thread.isRunning);
});

void test('it is used for many small files, and not for few or large ones', () => {
  const small = { entry: { ...fileEntry('small'), size: 10_000 } };
  const large = { entry: { ...fileEntry('large'), size: 10_000_000 } };
  const many = <T>(item: T): T[] => Array.from({ length: 400 }, () => item);
  assert.ok(isWorthThread([...many(small), large]));
  assert.ok(!isWorthThread(many(small).slice(1)));
  assert.ok(!isWorthThread([...many(large), small]));
});
