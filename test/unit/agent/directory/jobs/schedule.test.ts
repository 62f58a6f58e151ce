import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import type { Incoming } from '../../../../../agent/directory/jobs/download.ts';
import type { Entry } from '#core/manifest/entry.ts';
import { type Job, roomBeside } from '../../../../../agent/directory/jobs/schedule.ts';
import { fileEntry } from '../../../../support/unit/applyPlace.ts';
import { scheduled } from '../../../../support/unit/scheduled.ts';

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
  const jobs = scheduled({
    ready,
    running,
    wholeSets: false,
    largeFrom: LARGE,
    folderIsThere: () => true,
  });
  return jobs.map(({ size, items }) => [size, items.size]);
}

void test('what is more than one change set becomes several, by files or by bytes, and four at a time', () => {
  assert.deepEqual(started(10_000, 100), [
    ['bulk', 700],
    ['bulk', 700],
    ['bulk', 700],
    ['bulk', 700],
  ]);
  assert.deepEqual(started(40, 1024 * 1024), [
    ['bulk', 32],
    ['bulk', 8],
  ]);
  assert.deepEqual(started(700, 100), [['bulk', 700]]);
});

void test('as many start as there is room for beside those that run', () => {
  assert.deepEqual(started(10_000, 100, [RUNNING, RUNNING, RUNNING]), [['bulk', 700]]);
  assert.deepEqual(started(10_000, 100, [RUNNING, RUNNING, RUNNING, RUNNING]), []);
});

void test('of small files, so many are considered as may start, and a change set more; none where no more may start', () => {
  const large: Job = { kind: 'download', size: 'large', items: new Map() };
  const toMain: Job = { kind: 'upload', size: 'bulk', items: new Map() };
  const three = [RUNNING, RUNNING, RUNNING];
  assert.deepEqual(roomBeside([]), { download: 3_500, upload: 3_500 });
  assert.deepEqual(roomBeside([...three, large, toMain]), { download: 1_400, upload: 2_800 });
  assert.deepEqual(roomBeside([...three, RUNNING]), { download: 0, upload: 3_500 });
});

void test('large files are for themselves', () => {
  assert.deepEqual(started(400, 100, [], 5), [
    ['large', 1],
    ['large', 1],
    ['large', 1],
    ['bulk', 400],
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
  const [job] = scheduled({
    ready,
    ...rest,
    folderIsThere: (path) => path === 'b',
  });
  assert.deepEqual(
    [...(job?.items.keys() ?? [])],
    ['a', 'b/1.wav', 'b/2.wav', 'a/3.wav', 'a/1.wav', 'a/2.wav'],
  );
});

void test('a file that is renamed counts once, and takes its old name along', () => {
  const ready = new Map<string, Incoming>();
  for (let i = 0; i < 1_000; i++) {
    const entry = fileEntry(`content ${i}`);
    const plain = { expect: undefined, replacesSpecial: false, content: true, drift: false, reason: '' };
    ready.set(`new/${i}.wav`, { kind: 'deliver', entry, ...plain });
    ready.set(`old/${i}.wav`, { kind: 'remove', expect: entry, reason: '' });
  }
  const jobs = scheduled({
    ready,
    running: [],
    wholeSets: false,
    largeFrom: LARGE,
    folderIsThere: () => true,
  });
  assert.deepEqual(
    jobs.map(({ items }) => items.size),
    [1_400, 600],
  );
  for (const { items } of jobs)
    for (const path of items.keys()) assert.ok(items.has(path.replace('new/', 'old/')), path);
});

void test('a folder is removed after what is in it, and after all that is still to come', () => {
  const folder = { type: 'folder', mode: 0o755, owner: 'root', group: 'root', uid: 0, gid: 0 } as const;
  const plain = { expect: undefined, replacesSpecial: false, content: true, drift: false, reason: '' };
  const removal = (expect: Entry): Incoming => ({ kind: 'remove', expect, reason: '' });
  const ready = new Map<string, Incoming>([
    ['old', removal(folder)],
    ['old/deep', removal(folder)],
    ['old/deep/file.wav', removal(fileEntry('content'))],
    ['new', { kind: 'deliver', entry: folder, ...plain }],
    ['new/file.wav', { kind: 'deliver', entry: fileEntry('other'), ...plain }],
  ]);
  const rest = { wholeSets: false, largeFrom: LARGE, folderIsThere: () => false };
  const [job] = scheduled({ ready, running: [], ...rest });
  assert.deepEqual(
    [...(job?.items.keys() ?? [])],
    ['new', 'new/file.wav', 'old/deep/file.wav', 'old/deep', 'old'],
  );
  for (let i = 0; i < 700; i++)
    ready.set(`${i}.wav`, { kind: 'deliver', entry: fileEntry(`${i}`), ...plain });
  const [next] = scheduled({
    ready,
    running: [RUNNING, RUNNING, RUNNING],
    ...rest,
  });
  assert.ok(next?.items.has('new') && !next.items.has('old'));
});

describe('Files that go into new folders', () => {
  const folder = { type: 'folder', mode: 0o755, owner: 'root', group: 'root', uid: 0, gid: 0 } as const;
  const plain = { expect: undefined, replacesSpecial: false, content: true, drift: false, reason: '' };
  const bring = (entry: Entry): Incoming => ({ kind: 'deliver', entry, ...plain });

  /** The paths of the jobs that start for so many files in new folders, and some that need none. */
  function sets(many: number, more: readonly (readonly [string, Incoming])[] = []): string[][] {
    const ready = new Map<string, Incoming>(more);
    for (let i = 0; i < many; i++) ready.set(`new/deep/${i}.wav`, bring(fileEntry(`${i}`)));
    ready.set('new/deep', bring(folder)).set('new', bring(folder));
    const rest = { running: [], wholeSets: false, largeFrom: LARGE };
    const jobs = scheduled({
      ready,
      ...rest,
      folderIsThere: (path) => path === 'old',
    });
    return jobs.map(({ items }) => [...items.keys()]);
  }

  it('come with them when they are one set', () => {
    const [first = [], ...others] = sets(698);
    assert.deepEqual([first.slice(0, 2), first.length, others], [['new', 'new/deep'], 700, []]);
  });

  it('wait for them when they are more, so that several sets travel at a time after that', () => {
    const elsewhere = [
      ['old/file.wav', bring(fileEntry('other'))],
      ['root.wav', bring(fileEntry('root'))],
    ] as const;
    assert.deepEqual(sets(699, elsewhere), [
      ['new', 'new/deep'],
      ['root.wav', 'old/file.wav'],
    ]);
  });

  it('wait for them when they are large, or many bytes', () => {
    const sized = (size: number): Incoming => bring({ ...fileEntry('large'), size });
    assert.deepEqual(sets(5, [['new/large.wav', sized(LARGE)]]), [['new', 'new/deep']]);
    const many = Array.from({ length: 5 }, (_, i) => [`new/${i}.wav`, sized(LARGE - 1)] as const);
    assert.deepEqual(sets(0, many), [['new', 'new/deep']]);
  });

  it('do not wait where only the permissions of their folder change', () => {
    const changed: Incoming = {
      kind: 'deliver',
      entry: folder,
      ...plain,
      content: false,
      expect: { ...folder, mode: 0o700 },
    };
    const files = Array.from({ length: 800 }, (_, i) => [`old/${i}.wav`, bring(fileEntry(`${i}`))] as const);
    const [first = []] = sets(0, [['old', changed], ...files]);
    assert.deepEqual(first, ['new', 'new/deep']);
    assert.ok(sets(0, [['old', changed], ...files])[1]?.includes('old'));
  });
});

describe('What has just changed', () => {
  const plain = { replacesSpecial: false, content: true, drift: false, reason: '' };
  const file: Entry = { ...fileEntry('content'), size: 100 };
  const deliver = (entry: Entry): Incoming => ({ kind: 'deliver', entry, expect: undefined, ...plain });
  const FOLDER: Entry = { type: 'folder', mode: 0o755, owner: 'root', group: 'root', uid: 0, gid: 0 };
  const FULL = [RUNNING, RUNNING, RUNNING, RUNNING];

  /** The jobs for many files, and those that are live. */
  function jobs(
    live: Readonly<Record<string, Incoming>>,
    { many = 0, running = [] as readonly Job[], folders = [] as readonly string[] } = {},
  ): [size: string, paths: string[]][] {
    const ready = new Map<string, Incoming>();
    for (let i = 0; i < many; i++) ready.set(`${i}.wav`, deliver(file));
    for (const [path, item] of Object.entries(live)) ready.set(path, item);
    return scheduled({
      ready,
      running,
      live: new Set(Object.keys(live)),
      wholeSets: false,
      largeFrom: LARGE,
      folderIsThere: (folder) => folders.includes(folder),
    }).map(({ size, items }) => [size, [...items.keys()]]);
  }

  it('goes ahead of more than one change set, and is in no other', () => {
    const found = jobs({ 'new.wav': deliver(file) }, { many: 800 });
    assert.deepEqual(found[0], ['live', ['new.wav']]);
    assert.deepEqual(
      found.slice(1).map(([size, paths]) => [size, paths.length, paths.includes('new.wav')]),
      [
        ['bulk', 700, false],
        ['bulk', 100, false],
      ],
    );
  });

  it('does so beside as many change sets as may run, one at a time', () => {
    assert.deepEqual(jobs({ 'new.wav': deliver(file) }, { running: FULL }), [['live', ['new.wav']]]);
    const live: Job = { kind: 'download', size: 'live', items: new Map() };
    assert.deepEqual(jobs({ 'new.wav': deliver(file) }, { running: [...FULL, live] }), []);
    const other: Job = { kind: 'upload', size: 'live', items: new Map() };
    assert.deepEqual(jobs({ 'new.wav': deliver(file) }, { running: [...FULL, other] }), [
      ['live', ['new.wav']],
    ]);
  });

  it('is an ordinary change set where nothing else waits', () => {
    const live: Job = { kind: 'download', size: 'live', items: new Map() };
    assert.deepEqual(jobs({ 'new.wav': deliver(file) }), [['bulk', ['new.wav']]]);
    assert.deepEqual(jobs({ 'new.wav': deliver(file) }, { running: [live] }), [['bulk', ['new.wav']]]);
  });

  it('waits for its folder, and when it is a folder, large, removed or renamed', () => {
    const removal: Incoming = { kind: 'remove', expect: fileEntry('old'), reason: 'removed on Main' };
    const waiting = {
      folder: deliver(FOLDER),
      'folder/new.wav': deliver(file),
      'large.wav': deliver({ ...file, size: LARGE }),
      'gone.wav': { ...removal, expect: fileEntry('gone') },
      'old.wav': removal,
      'renamed.wav': deliver(fileEntry('old')),
    };
    const large: Job = { kind: 'download', size: 'large', items: new Map() };
    const running = [...FULL, large, large, large];
    assert.deepEqual(jobs(waiting, { running }), []);
    assert.deepEqual(jobs(waiting, { running, folders: ['folder'] }), [['live', ['folder/new.wav']]]);
  });

  it('is no more than fits into one change set', () => {
    const some = (many: number, size: number): Record<string, Incoming> =>
      Object.fromEntries(Array.from({ length: many }, (_, i) => [`${i}.wav`, deliver({ ...file, size })]));
    const counts = (items: Record<string, Incoming>): number[] =>
      jobs(items, { running: FULL }).map(([, paths]) => paths.length);
    assert.deepEqual(counts(some(800, 10)), [700]);
    assert.deepEqual(counts(some(40, 1024 * 1024)), [32]);
  });
});
