import assert from 'node:assert/strict';
import { closeSync, lstatSync, openSync, readdirSync, writeFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import type { Staging } from '#sync/apply/staging.ts';
import type { StagingResult } from '#core/changeSet.ts';
import { stagingSink } from '#sync/apply/stagingSink.ts';
import type { CopyingSink } from '#sync/transfer/deltaSink.ts';
import { ApplyPlace, fileEntry } from '../../../support/unit/applyPlace.ts';

type Case = { place: ApplyPlace; staging: Staging; sink: CopyingSink; results: StagingResult[] };

/** A file of an archive that is staged. */
function staged(t: TestContext, content: string): Case {
  const place = new ApplyPlace(t);
  const staging = place.applier.begin(0);
  t.after(() => staging[Symbol.dispose]());
  const results: StagingResult[] = [];
  return {
    place,
    staging,
    sink: stagingSink(staging, fileEntry(content), (result) => results.push(result)),
    results,
  };
}

function inStage(place: ApplyPlace): string[] {
  return readdirSync(place.at('.xivo-xds-sync/stage'));
}

void test('what was announced is staged, small and large, in small pieces and in large ones', async (t) => {
  for (const [size, length] of [
    [0, 1],
    [5_000, 5_000],
    [5_000, 4_999],
    [300_000, 1_000],
    [300_000, 200_000],
    [2_000_000, 1_000],
    [2_000_000, 200_000],
  ] as const) {
    const content = 'x'.repeat(size);
    const { place, sink, results } = staged(t, content);
    for (let at = 0; at < content.length; at += length)
      await sink.write(Buffer.from(content.slice(at, at + length)));
    await sink.end();
    assert.deepEqual(
      results.map(({ result }) => result),
      ['staged'],
    );
    assert.equal(inStage(place).length, 1);
  }
});

void test('a small file that arrives in one piece is staged in one step, with its metadata', async (t) => {
  const place = new ApplyPlace(t);
  using staging = place.applier.begin(0);
  const file = t.mock.method(staging, 'file');
  for (const content of ['content', '']) {
    const entry = fileEntry(content, 0o2640);
    const results: StagingResult[] = [];
    const sink = stagingSink(staging, entry, (result) => results.push(result));
    const piece = Buffer.from(content);
    if (content !== '') await sink.write(piece);
    // The memory of a piece may be used for the next one.
    piece.fill('x');
    assert.ok(results.length < 1, 'its end is still to come');
    await sink.end();
    const [result] = results;
    assert.ok(result?.result === 'staged' && results.length === 1);
    const step = { kind: 'put', path: `a ${content}`, entry, expect: undefined, reason: '' } as const;
    await staging.commit([{ ...step, staged: result.staged }], () => undefined);
    assert.equal(place.read(step.path), content);
    assert.equal(lstatSync(place.at(step.path)).mode & 0o7777, entry.mode);
  }
  assert.equal(file.mock.callCount(), 0);
});

void test('a small file of a change set that is given up is removed', async (t) => {
  const place = new ApplyPlace(t);
  {
    using staging = place.applier.begin(0);
    const sink = stagingSink(staging, fileEntry('content'), () => undefined);
    await sink.write(Buffer.from('content'));
    await sink.end();
    assert.equal(inStage(place).length, 1);
  }
  assert.deepEqual(inStage(place), []);
});

void test('a small file in one piece that is not what was announced, or that the disk does not take, is not staged', async (t) => {
  const place = new ApplyPlace(t);
  using staging = place.applier.begin(0);
  const results: StagingResult[] = [];
  const stage = async (announced: string, content: string): Promise<void> => {
    const sink = stagingSink(staging, fileEntry(announced), (result) => results.push(result));
    await sink.write(Buffer.from(content));
    await sink.end();
  };
  await stage('announced', 'something');
  await stage('short', 'longer than it');
  writeFileSync(place.at(`.xivo-xds-sync/stage/${staging.id}.2`), 'of another');
  await stage('content', 'content');
  const other = { result: 'stale', why: 'its content is not what was announced', isOther: true };
  assert.deepEqual(results, [other, other, { result: 'failed', why: 'EEXIST' }]);
  assert.deepEqual(inStage(place), [`${staging.id}.2`]);
});

void test('other content is stale, and so is a file that the sender no longer has', async (t) => {
  const other = staged(t, 'announced');
  await other.sink.write(Buffer.from('something'));
  await other.sink.end();
  assert.deepEqual(other.results, [
    { result: 'stale', why: 'its content is not what was announced', isOther: true },
  ]);
  const refused = staged(t, 'announced');
  refused.sink.refuse('changed');
  assert.deepEqual(refused.results, [{ result: 'stale', why: 'changed' }]);
  for (const { place } of [other, refused]) assert.deepEqual(inStage(place), []);
});

void test('a disk that fails concerns this file alone, once, whatever else comes of it', async (t) => {
  const full = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
  for (const [size, method] of [
    [10, 'write'],
    [2_000_000, 'writeBehind'],
    [2_000_000, 'flush'],
  ] as const) {
    const place = new ApplyPlace(t);
    const staging = place.applier.begin(0);
    t.after(() => staging[Symbol.dispose]());
    const results: StagingResult[] = [];
    const file = staging.file();
    t.mock.method(file, method, () => {
      if (method === 'write') throw full;
      return Promise.reject(full);
    });
    const announced = { ...fileEntry('x'), size };
    const sink = stagingSink(staging, announced, (result) => results.push(result), file);
    for (let piece = 0; piece < 3; piece++) await sink.write(Buffer.alloc(10));
    await sink.end();
    assert.deepEqual(results, [{ result: 'failed', why: 'ENOSPC' }], method);
    assert.deepEqual(inStage(place), []);
  }
});

void test('a file that can not be created fails before the first byte of it', async (t) => {
  const place = new ApplyPlace(t);
  const staging = place.applier.begin(0);
  t.after(() => staging[Symbol.dispose]());
  t.mock.method(staging, 'file', () => {
    throw Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' });
  });
  const results: StagingResult[] = [];
  const sink = stagingSink(staging, fileEntry('xx'), (result) => results.push(result));
  for (let piece = 0; piece < 2; piece++) await sink.write(Buffer.from('x'));
  await sink.end();
  sink.refuse('changed');
  assert.deepEqual(results, [{ result: 'failed', why: 'EMFILE' }]);
});

void test('nothing more is taken once the directory is being closed', async (t) => {
  const { place, sink, results } = staged(t, 'announced');
  await sink.write(Buffer.from('annou'));
  await place.applier.close();
  assert.throws(() => sink.write(Buffer.from('nced')), /the directory is being closed/);
  assert.deepEqual(results, []);
  sink.refuse('given up');
});

void test('parts of another file are staged, of a large file and of a small one, wherever they are in it', async (t) => {
  for (const size of [1_000, 2_000_000]) {
    const content = 'x'.repeat(size);
    const { place, sink, results } = staged(t, content);
    writeFileSync(place.at('other'), content);
    const fd = openSync(place.at('other'), 'r');
    await sink.write(Buffer.from('x'));
    await sink.copy(fd, 1, 100);
    await sink.write(Buffer.from('x'));
    // The other one may have become shorter.
    await sink.copy(fd, 101, size + 1);
    closeSync(fd);
    await sink.end();
    assert.deepEqual(
      results.map(({ result }) => result),
      ['staged'],
      `${size} bytes`,
    );
  }
});

void test('a part that can not be read concerns this file alone; that the program ends concerns all', async (t) => {
  const { place, staging, sink, results } = staged(t, 'x'.repeat(1_000));
  const folder = openSync(place.at('.'), 'r');
  t.after(() => closeSync(folder));
  await sink.copy(folder, 0, 1_000);
  await sink.copy(folder, 0, 1_000);
  await sink.end();
  assert.deepEqual(results, [{ result: 'failed', why: 'EISDIR' }]);
  const next = stagingSink(staging, fileEntry('x'), (result) => results.push(result));
  writeFileSync(place.at('other'), 'x');
  const other = openSync(place.at('other'), 'r');
  t.after(() => closeSync(other));
  place.applier.end();
  await assert.rejects(next.copy(other, 0, 1), /the directory is being closed/);
  assert.equal(results.length, 1);
  next.refuse('the test is over');
});
