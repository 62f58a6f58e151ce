import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Incoming } from '../../../../../agent/directory/jobs/download.ts';
import { type Job, schedule } from '../../../../../agent/directory/jobs/schedule.ts';
import { fileEntry } from '../../../../support/unit/applyPlace.ts';

const LARGE = 8 * 1024 * 1024;
const RUNNING: Job = { kind: 'download', size: 'bulk', items: new Map() };

/** The sizes of the jobs that are started for so many files of a size. */
function started(
  files: number,
  bytes: number,
  running: readonly Job[] = [],
  large = 0,
): [size: string, files: number][] {
  const entry = { ...fileEntry('content'), size: bytes };
  const plain = { expect: undefined, replacesSpecial: false, content: true, drift: false, reason: '' };
  const ready = new Map<string, Incoming>();
  for (let i = 0; i < files; i++) ready.set(`${i}.wav`, { kind: 'deliver', entry, ...plain });
  for (let i = 0; i < large; i++)
    ready.set(`large${i}.wav`, { kind: 'deliver', entry: { ...entry, size: LARGE * 4 }, ...plain });
  const jobs = schedule({ ready, running, wholeSets: false, largeFrom: LARGE, folderIsThere: () => true });
  return jobs.map(({ size, items }) => [size, items.size]);
}

void test('of several change sets that start together, the first is half as large, by files or by bytes', () => {
  assert.deepEqual(started(10_000, 100), [
    ['bulk', 1_000],
    ['bulk', 2_000],
  ]);
  assert.deepEqual(started(100, 1024 * 1024), [
    ['bulk', 32],
    ['bulk', 64],
  ]);
});

void test('what fits into one change set is one, and the next is of full size', () => {
  assert.deepEqual(started(2_000, 100), [['bulk', 2_000]]);
  assert.deepEqual(started(64, 1024 * 1024), [['bulk', 64]]);
  assert.deepEqual(started(10_000, 100, [RUNNING]), [['bulk', 2_000]]);
  assert.deepEqual(started(10_000, 100, [RUNNING, RUNNING]), []);
});

void test('large files are for themselves, and do not make small ones several', () => {
  assert.deepEqual(started(1_500, 100, [], 5), [
    ['large', 1],
    ['large', 1],
    ['large', 1],
    ['bulk', 1_500],
  ]);
});

void test('parents are before children, larger files after small ones, and small ones as they were planned', () => {
  const plain = { expect: undefined, replacesSpecial: false, content: true, drift: false, reason: '' };
  const sizes = { 'b/1.wav': 300, 'b/2.wav': 100, 'a/2.wav': 70_000, 'a/1.wav': 66_000, 'a/3.wav': 200 };
  const ready = new Map<string, Incoming>(
    Object.entries(sizes).map(([path, size]) => [
      path,
      { kind: 'deliver', entry: { ...fileEntry('content'), size }, ...plain },
    ]),
  );
  const folder = { type: 'folder', mode: 0o755, owner: 'root', group: 'root', uid: 0, gid: 0 } as const;
  ready.set('a', { kind: 'deliver', entry: folder, ...plain });
  const rest = { running: [], wholeSets: false, largeFrom: LARGE };
  const [job] = schedule({ ready, ...rest, folderIsThere: (path) => path === 'b' });
  assert.deepEqual(
    [...(job?.items.keys() ?? [])],
    ['a', 'b/1.wav', 'b/2.wav', 'a/3.wav', 'a/1.wav', 'a/2.wav'],
  );
});
