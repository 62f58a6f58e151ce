import assert from 'node:assert/strict';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
  openSync,
  closeSync,
  renameSync,
} from 'node:fs';
import { test } from 'node:test';
import { NoRoom } from '#sync/apply/staging.ts';
import type { Outcome } from '#core/changeSet.ts';
import { inOrder } from '#sync/apply/commit.ts';
import { Folder } from '#host/fs/folder.ts';
import { setMtime } from '#host/fs/libc.ts';
import {
  ApplyPlace,
  fileEntry,
  folderEntry,
  linkEntry,
  putFile,
  stage,
} from '../../../support/unit/applyPlace.ts';

const results = (outcomes: readonly Outcome[]): string[] =>
  outcomes.map(({ step, result }) => `${step.path} ${result}`);

void test('a change set puts folders before what lies in them, and removes the deepest first, whatever their order', () => {
  const step = (kind: 'keep' | 'remove', path: string) =>
    ({ kind, path, entry: folderEntry(), expect: '', staged: { name: '', inode: '' }, reason: '' }) as const;
  const steps = [step('remove', 'x'), step('keep', 'a/b/c'), step('remove', 'x/y'), step('keep', 'a')];
  assert.deepEqual(
    inOrder(steps).map(({ step: { path }, number }) => `${number} ${path}`),
    ['3 a', '1 a/b/c', '2 x/y', '0 x'],
  );
});

void test('new files, folders and links become visible with their metadata, and nothing else is left behind', async (t) => {
  const place = new ApplyPlace(t);
  const outcomes = await place.apply((staging) => [
    putFile(staging, 'folder/a', 'content'),
    {
      kind: 'put',
      path: 'folder',
      entry: folderEntry(0o711),
      expect: undefined,
      staged: staging.bare(folderEntry(0o711)),
      reason: '',
    },
    {
      kind: 'put',
      path: 'link',
      entry: linkEntry('folder/a'),
      expect: undefined,
      staged: staging.bare(linkEntry('folder/a')),
      reason: '',
    },
  ]);
  assert.deepEqual(results(outcomes), ['folder/a done', 'folder done', 'link done']);
  assert.equal(place.read('folder/a'), 'content');
  assert.equal(lstatSync(place.at('folder/a'), { bigint: true }).mtimeNs, 1_700_000_000_123_456_789n);
  assert.equal(lstatSync(place.at('folder')).mode & 0o7777, 0o711);
  assert.equal(readlinkSync(place.at('link')), 'folder/a');
  assert.equal(outcomes[0]?.stamp, place.stamp('folder/a'));
  assert.deepEqual(readdirSync(place.at('.xivo-xds-sync/stage')), []);
  assert.deepEqual(readdirSync(place.at('.xivo-xds-sync/trash')), []);
  assert.deepEqual(place.journal.open('files'), []);
});

void test('what was replaced or removed lies in the trash under the name that it had', async (t) => {
  const place = new ApplyPlace(t);
  writeFileSync(place.at('replaced'), 'old');
  writeFileSync(place.at('removed'), 'gone');
  const outcomes = await place.apply((staging) => [
    putFile(staging, 'replaced', 'new', place.stamp('replaced')),
    {
      kind: 'remove',
      path: 'removed',
      entry: fileEntry('gone'),
      expect: place.stamp('removed'),
      reason: 'removed on Main',
    },
  ]);
  assert.deepEqual(results(outcomes), ['replaced done', 'removed done']);
  assert.equal(place.read('replaced'), 'new');
  assert.equal(existsSync(place.at('removed')), false);
  assert.deepEqual(place.trash(), [
    ['removed', 'gone'],
    ['replaced', 'old'],
  ]);
});

void test('disk that is not what a step expects makes it stale, and the rest continues', async (t) => {
  const place = new ApplyPlace(t);
  for (const name of ['edited', 'replaced', 'removed', 'dressed']) writeFileSync(place.at(name), 'old');
  const stamps = {
    edited: place.stamp('edited'),
    removed: place.stamp('removed'),
    dressed: place.stamp('dressed'),
  };
  appendFileSync(place.at('edited'), ' and edited');
  appendFileSync(place.at('removed'), ' and edited');
  chmodSync(place.at('dressed'), 0o600);
  const outcomes = await place.apply((staging) => [
    putFile(staging, 'edited', 'new', stamps.edited),
    putFile(staging, 'replaced', 'new'),
    putFile(staging, 'no/such/folder', 'new'),
    { kind: 'remove', path: 'removed', entry: fileEntry('old'), expect: stamps.removed, reason: '' },
    { kind: 'remove', path: 'never-there', entry: fileEntry('old'), expect: stamps.removed, reason: '' },
    { kind: 'metadata', path: 'dressed', entry: fileEntry('old', 0o644), expect: stamps.dressed, reason: '' },
    putFile(staging, 'fine', 'fine'),
  ]);
  assert.deepEqual(
    outcomes.map(({ result }) => result),
    ['stale', 'stale', 'stale', 'stale', 'stale', 'stale', 'done'],
  );
  assert.equal(place.read('edited'), 'old and edited');
  assert.equal(place.read('removed'), 'old and edited');
  assert.equal(place.read('replaced'), 'old');
  assert.deepEqual(place.trash(), []);
  assert.deepEqual(readdirSync(place.at('.xivo-xds-sync/stage')), []);
});

/** The method itself, to be called on whatever folder. */
function renameOf(prototype: Folder): (this: Folder, ...args: Parameters<Folder['rename']>) => void {
  return Object.getOwnPropertyDescriptor(prototype, 'rename')?.value as Folder['rename'];
}

/** Lets another program act just before or after a rename of the product. */
function around(
  t: { mock: { method: typeof import('node:test').mock.method } },
  act: { before?: () => void; after?: () => void },
): void {
  const original = renameOf(Folder.prototype);
  let first = true;
  t.mock.method(
    Folder.prototype,
    'rename',
    function rename(this: Folder, ...args: Parameters<Folder['rename']>) {
      const mine = first;
      first = false;
      if (mine) act.before?.();
      original.apply(this, args);
      if (mine) act.after?.();
    },
  );
}

void test('a write between the check and the exchange is not lost: it stays in place', async (t) => {
  const place = new ApplyPlace(t);
  writeFileSync(place.at('a'), 'old');
  around(t, { before: () => appendFileSync(place.at('a'), ' and edited in the last moment') });
  const outcomes = await place.apply((staging) => [putFile(staging, 'a', 'new', place.stamp('a'))]);
  assert.deepEqual(results(outcomes), ['a stale']);
  assert.equal(place.read('a'), 'old and edited in the last moment');
});

void test('a write between the check and the removal is not lost: it stays in place', async (t) => {
  const place = new ApplyPlace(t);
  writeFileSync(place.at('a'), 'old');
  const expect = place.stamp('a');
  around(t, { before: () => appendFileSync(place.at('a'), ' and edited in the last moment') });
  const outcomes = await place.apply(() => [
    { kind: 'remove', path: 'a', entry: fileEntry('old'), expect, reason: '' },
  ]);
  assert.deepEqual(results(outcomes), ['a stale']);
  assert.equal(place.read('a'), 'old and edited in the last moment');
});

void test('an edit that can no longer stay in place, since another program removed it at the same time, is in the trash', async (t) => {
  const place = new ApplyPlace(t);
  writeFileSync(place.at('a'), 'old');
  around(t, {
    before: () => appendFileSync(place.at('a'), ' and edited'),
    after: () => unlinkSync(place.at('a')),
  });
  await place.apply((staging) => [putFile(staging, 'a', 'new', place.stamp('a'))]);
  assert.deepEqual(place.trash(), [['a', 'old and edited']]);
});

void test('what can not be put into the trash stays in place', async (t) => {
  const place = new ApplyPlace(t);
  writeFileSync(place.at('a'), 'old');
  const original = renameOf(Folder.prototype);
  t.mock.method(
    Folder.prototype,
    'rename',
    function rename(this: Folder, ...args: Parameters<Folder['rename']>) {
      if (args[2] === '0') throw Object.assign(new Error('full'), { code: 'ENOSPC' });
      original.apply(this, args);
    },
  );
  const outcomes = await place.apply((staging) => [putFile(staging, 'a', 'new', place.stamp('a'))]);
  assert.equal(outcomes[0]?.errno, 'ENOSPC');
  assert.equal(place.read('a'), 'old');
});

void test('content that loses a conflict is kept without ever having been visible', async (t) => {
  const place = new ApplyPlace(t);
  writeFileSync(place.at('a'), 'winner');
  const outcomes = await place.apply((staging) => [
    {
      kind: 'keep',
      path: 'a',
      entry: fileEntry('loser'),
      staged: stage(staging, 'loser'),
      reason: 'the older',
    },
  ]);
  assert.deepEqual(results(outcomes), ['a done']);
  assert.equal(place.read('a'), 'winner');
  assert.deepEqual(place.trash(), [['a', 'loser']]);
});

void test('metadata changes in place', async (t) => {
  const place = new ApplyPlace(t);
  writeFileSync(place.at('a'), 'content');
  const { ino } = lstatSync(place.at('a'));
  const entry = fileEntry('content', 0o600);
  const outcomes = await place.apply(() => [
    { kind: 'metadata', path: 'a', entry, expect: place.stamp('a'), reason: '' },
  ]);
  assert.equal(outcomes[0]?.stamp, place.stamp('a'));
  const stat = lstatSync(place.at('a'), { bigint: true });
  assert.deepEqual(
    [Number(stat.ino), Number(stat.mode & 0o7777n), String(stat.mtimeNs)],
    [ino, 0o600, entry.mtime],
  );
});

void test('a folder takes the place of a file, and a file that of a folder with local content, which is in the trash', async (t) => {
  const place = new ApplyPlace(t);
  writeFileSync(place.at('file'), 'was a file');
  mkdirSync(place.at('folder'));
  writeFileSync(place.at('folder/local'), 'local');
  const outcomes = await place.apply((staging) => [
    {
      kind: 'put',
      path: 'file',
      entry: folderEntry(),
      expect: place.stamp('file'),
      staged: staging.bare(folderEntry()),
      reason: '',
    },
    putFile(staging, 'file/inside', 'inside'),
    putFile(staging, 'folder', 'is a file', ''),
  ]);
  assert.deepEqual(results(outcomes), ['file done', 'file/inside done', 'folder done']);
  assert.equal(place.read('file/inside'), 'inside');
  assert.equal(place.read('folder'), 'is a file');
  assert.deepEqual(place.trash(), [
    ['file', 'was a file'],
    ['folder', 'folder'],
  ]);
  const [set = ''] = readdirSync(place.at('.xivo-xds-sync/trash'));
  assert.equal(place.read(`.xivo-xds-sync/trash/${set}/2/local`), 'local');
});

void test('a folder with an override in it is never displaced, nor is one that is not empty removed', async (t) => {
  const place = new ApplyPlace(t);
  mkdirSync(place.at('folder/deep'), { recursive: true });
  writeFileSync(place.at('folder/deep/xds_override_a'), 'override');
  const outcomes = await place.apply((staging) => [
    putFile(staging, 'folder', 'is a file', ''),
    { kind: 'remove', path: 'folder/deep', entry: folderEntry(), expect: '', reason: '' },
  ]);
  assert.deepEqual(results(outcomes), ['folder stale', 'folder/deep stale']);
  assert.equal(place.read('folder/deep/xds_override_a'), 'override');
});

void test('staged content that is not what was announced is refused and removed', (t) => {
  const place = new ApplyPlace(t);
  using staging = place.applier.begin(0);
  const file = staging.file();
  file.write(Buffer.from('something else'));
  assert.equal(file.finish(fileEntry('announced')), undefined);
  assert.deepEqual(readdirSync(place.at('.xivo-xds-sync/stage')), []);
});

void test('no change set begins that would leave less than the reserve free', (t) => {
  const place = new ApplyPlace(t);
  const applier = place.again(Number.MAX_SAFE_INTEGER);
  assert.throws(() => applier.begin(1), NoRoom);
});

void test('a change set that could not be recorded is recorded before the next one', async (t) => {
  const place = new ApplyPlace(t);
  writeFileSync(place.at('a'), 'old');
  const recorded: string[] = [];
  let full = true;
  const record = (_: unknown, outcomes: readonly Outcome[]): void => {
    if (full) throw new Error('the state is full');
    recorded.push(...results(outcomes));
  };
  await assert.rejects(
    place.apply((staging) => [putFile(staging, 'a', 'new', place.stamp('a'))], record),
    /the state is full/,
  );
  assert.equal(place.journal.open('files').length, 1);
  full = false;
  await place.apply((staging) => [putFile(staging, 'b', 'more')], record);
  assert.deepEqual(recorded, ['a done', 'b done']);
  assert.deepEqual(place.journal.open('files'), []);
  assert.deepEqual(place.trash(), [['a', 'old']]);
});

void test('a link under the name of our own folder leads nothing outside', (t) => {
  const place = new ApplyPlace(t);
  mkdirSync(place.at('elsewhere'));
  symlinkSync('elsewhere', place.at('.xivo-xds-sync'));
  assert.throws(() => place.applier.begin(0), /is not the folder that this program needs there/);
  assert.deepEqual(readdirSync(place.at('elsewhere')), []);
});

void test('another size, another file and another time are each enough for a placed file to count as changed', async (t) => {
  const meddling: Readonly<Record<string, (at: string) => void>> = {
    'more bytes, the same time': (at) => appendFileSync(at, ' and more'),
    'another file, the same time': (at) => {
      writeFileSync(`${at}.other`, 'from Else');
      renameSync(`${at}.other`, at);
    },
    'as many bytes': (at) => writeFileSync(at, 'from Else'),
  };
  for (const [what, meddle] of Object.entries(meddling)) {
    const place = new ApplyPlace(t);
    const entry = fileEntry('from Main');
    const stat = t.mock.method(Folder.prototype, 'stat', function (this: Folder, name: string) {
      if (name === 'file') {
        meddle(place.at(name));
        if (what.includes('same time')) {
          const fd = openSync(place.at(name), 'r');
          setMtime(fd, BigInt(entry.mtime));
          closeSync(fd);
        }
      }
      return lstatSync(this.at(name), { bigint: true, throwIfNoEntry: false });
    });
    const outcomes = await place.apply((staging) => [putFile(staging, 'file', 'from Main')]);
    stat.mock.restore();
    assert.deepEqual(results(outcomes), ['file done'], what);
    assert.notEqual(outcomes[0]?.stamp, place.stamp('file'), what);
  }
});

void test('a file that another program writes in the moment in which it was placed gets a stamp that makes it be read again', async (t) => {
  for (const kind of ['put', 'put over it', 'metadata'] as const) {
    const place = new ApplyPlace(t);
    if (kind !== 'put') writeFileSync(place.at('file'), 'before');
    const expect = kind === 'put' ? undefined : place.stamp('file');
    let looks = 0;
    const stat = t.mock.method(Folder.prototype, 'stat', function (this: Folder, name: string) {
      // The look after it is placed: nothing was to be replaced, or that was looked at before.
      looks += name === 'file' ? 1 : 0;
      if (name === 'file' && looks === (kind === 'put' ? 1 : 2))
        appendFileSync(place.at('file'), ' and more');
      return lstatSync(this.at(name), { bigint: true, throwIfNoEntry: false });
    });
    const outcomes = await place.apply((staging) => [
      kind === 'metadata'
        ? { kind, path: 'file', entry: fileEntry('before'), expect: expect ?? '', reason: '' }
        : putFile(staging, 'file', 'from Main', expect),
    ]);
    stat.mock.restore();
    assert.deepEqual(results(outcomes), ['file done'], kind);
    assert.match(place.read('file') ?? '', / and more$/, kind);
    assert.notEqual(outcomes[0]?.stamp, place.stamp('file'), kind);
  }
});
