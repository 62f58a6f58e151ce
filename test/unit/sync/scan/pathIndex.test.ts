import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { FileVersion } from '#host/fs/listing/fileVersion.ts';
import type { Entry, FileEntry } from '#core/manifest/entry.ts';
import { filePool } from '#core/manifest/kept/filePool.ts';
import type { PathState } from '#core/manifest/pathState.ts';
import { stampOf } from '#core/manifest/stamp.ts';
import { type IndexedPath, PathIndex } from '#sync/scan/pathIndex.ts';
import { collectedUntil, MANY, manyFiles } from '../../../support/unit/collected.ts';
import { fileEntry, folderEntry, linkEntry } from '../../../support/unit/applyPlace.ts';

const HASH = 'a'.repeat(64);
const COMMON = { mode: 0o644, owner: 'root', group: 'root', uid: 0, gid: 0 };

function fileOf(size: bigint, mtimeNs: bigint): Entry {
  return { type: 'file', size: Number(size), mtime: String(mtimeNs), hash: HASH, ...COMMON };
}

const bits64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const times = fc.oneof(
  fc.bigInt({ min: 1_600_000_000_000_000_000n, max: 1_900_000_000_000_000_000n }),
  fc.bigInt({ min: -(2n ** 63n) * 1_000_000_000n, max: 2n ** 63n * 1_000_000_000n }),
  fc.bigInt({ min: -2_000_000_000n, max: 2_000_000_000n }),
);
const stats = fc.record({
  dev: bits64,
  ino: bits64,
  size: fc.bigInt({ min: 0n, max: 2n ** 40n }),
  mtimeNs: times,
  ctimeNs: times,
});

void describe('The table of a directory', () => {
  void it('has every stamp as it was entered', () => {
    fc.assert(
      fc.property(stats, fc.boolean(), (stat, isOther) => {
        const index = new PathIndex();
        // The metadata of an entry may be older than its stamp.
        const entry = fileOf(stat.size, stat.mtimeNs + (isOther ? 1n : 0n));
        const stamp = stampOf(stat);
        index.set('d/file', { state: { kind: 'settled', entry }, stamp });
        assert.equal(index.get('d/file')?.stamp, stamp);
        assert.equal(index.stampOf('d/file', entry), stamp);
        assert.deepEqual(index.get('d/file')?.state, { kind: 'settled', entry });
      }),
    );
    for (const stamp of ['', 'gone', '1:2:3:4', '1:2:3:4:5', ':::']) {
      const index = new PathIndex();
      index.set('file', { state: { kind: 'settled', entry: fileOf(3n, 4n) }, stamp });
      assert.equal(index.get('file')?.stamp, stamp);
    }
  });

  void it('has each path as it was entered last, and keeps nothing of what it was before', () => {
    const states = fc.constantFrom<PathState | undefined>(
      settled(a),
      settled(longer),
      settled(folderEntry()),
      { kind: 'moving', last: a },
      { kind: 'special', what: 'a fifo' },
      undefined,
    );
    const acts = fc.record({ path: fc.constantFrom('a', 'f/b', 'f/c'), state: states, at: fc.nat(2) });
    fc.assert(
      fc.property(fc.array(acts, { maxLength: 60 }), (list) => {
        const before = filePool.size;
        const index = new PathIndex();
        const expected = new Map<string, IndexedPath>();
        for (const { path, state, at } of list) {
          if (state === undefined) {
            index.delete(path);
            expected.delete(path);
          } else {
            const entry = state.kind === 'settled' && state.entry.type === 'file' ? state.entry : undefined;
            const stamp = entry === undefined ? 'as it is' : `1:2:${entry.size}:${entry.mtime}:${at}`;
            index.set(path, { state, stamp });
            expected.set(path, { state, stamp });
          }
          for (const [known, node] of expected) {
            assert.deepEqual(index.get(known), node);
            assert.deepEqual(index.stateOf(known), node.state);
            const isFile = node.state.kind === 'settled' && node.state.entry.type === 'file';
            assert.deepEqual(index.unlessFile(known), isFile ? undefined : node);
          }
          assert.equal(index.size, expected.size);
        }
        index.takeChanges();
        for (const path of expected.keys()) index.delete(path);
        assert.equal(filePool.size, before);
      }),
    );
  });

  void it('keeps nothing in the pool once it is discarded, and nothing of others with it', async () => {
    const other = filePool.keep(a) ?? assert.fail();
    (() => {
      const index = new PathIndex();
      const enter = (path: string, entry: FileEntry): void =>
        index.set(path, { state: settled(entry), stamp: `1:2:${entry.size}:${entry.mtime}:4` });
      for (const entry of manyFiles()) enter(entry.mtime, entry);
      enter('a', a);
      index.delete('a');
    })();
    const before = filePool.size;
    assert.ok(await collectedUntil(() => filePool.size <= before - MANY));
    // Fails if it was released already.
    filePool.release(other);
  });

  void it('finds settled files by their content, however they are kept', () => {
    const index = new PathIndex();
    const content = fileEntry('content');
    const other = fileEntry('other');
    const empty = fileEntry('');
    const stamp = `1:2:${content.size}:${content.mtime}:1700000000000000000`;
    index.set('compact', { state: { kind: 'settled', entry: content }, stamp });
    index.set('as it is', { state: { kind: 'settled', entry: other }, stamp: '' });
    index.set('empty', { state: { kind: 'settled', entry: empty }, stamp: '' });
    index.set('folder', { state: { kind: 'settled', entry: folderEntry() }, stamp: '' });
    index.set('moving', { state: { kind: 'moving', last: fileEntry('moving') }, stamp: '' });
    const wanted = ['content', 'other', '', 'moving', 'nowhere'].map((text) => fileEntry(text).hash);
    assert.deepEqual(
      index.filesWith(new Set(wanted)),
      new Map([
        [content.hash, 'compact'],
        [other.hash, 'as it is'],
      ]),
    );
    assert.deepEqual(index.filesWith(new Set([other.hash])), new Map([[other.hash, 'as it is']]));
    assert.equal(index.filesWith(new Set()).size, 0);
  });

  void it('knows what is in a folder, and below it', () => {
    const index = new PathIndex();
    const folder: Entry = { type: 'folder', ...COMMON };
    for (const path of ['a', 'a/b', 'a/b/c', 'a/d', 'e'])
      index.set(path, { state: { kind: 'settled', entry: folder }, stamp: '' });
    assert.deepEqual([...index.childrenOf('a')], ['a/b', 'a/d']);
    assert.deepEqual([...index.childrenOf('')], ['a', 'e']);
    assert.deepEqual([...index.below('a')], ['a/b', 'a/b/c', 'a/d']);
    index.delete('a/b/c');
    assert.deepEqual([...index.childrenOf('a/b')], []);
  });

  void it('holds a version of a file only as long as its stamp is the same', () => {
    const stat = { dev: 1n, ino: 2n, size: 3n, mtimeNs: 4_000_000_005n, ctimeNs: 6_000_000_007n };
    const index = new PathIndex();
    index.set('d/file', {
      state: { kind: 'settled', entry: fileOf(stat.size, stat.mtimeNs) },
      stamp: stampOf(stat),
    });
    const version = { device: '1', inode: 2, size: 3, mtime: [4, 5], ctime: [6, 7] };
    const others = [
      { device: '2' },
      { inode: 3 },
      { size: 4 },
      { mtime: [4, 6] },
      { mtime: [5, 5] },
      { ctime: [7, 7] },
      { ctime: [6, 8] },
      {},
    ];
    assert.deepEqual(
      others.map((other) => index.holds('d/file', { ...version, ...other } as unknown as FileVersion)),
      [false, false, false, false, false, false, false, true],
    );
    assert.equal(index.holds('d/other', version as unknown as FileVersion), false);
    index.set('d/file', { state: { kind: 'moving' }, stamp: stampOf(stat) });
    assert.equal(index.holds('d/file', version as unknown as FileVersion), false);
    const inode = 2 ** 53;
    index.set('d/file', {
      state: { kind: 'settled', entry: fileOf(stat.size, stat.mtimeNs) },
      stamp: stampOf({ ...stat, ino: BigInt(inode) }),
    });
    assert.equal(index.holds('d/file', { ...version, inode } as unknown as FileVersion), false);
  });

  void it('forgets that a folder was found as it is known with each change of a path in it, or of itself', () => {
    const index = new PathIndex();
    const state = { kind: 'special', what: 'a socket' } as const;
    const isConfirmedAfter = (change: () => void): boolean => {
      for (const folder of ['f', 'g']) index.confirmed.begin(folder);
      change();
      assert.ok(index.confirmed.get('g'));
      return index.confirmed.get('f') !== undefined;
    };
    assert.deepEqual(
      [
        isConfirmedAfter(() => undefined),
        isConfirmedAfter(() => index.set('f/a', { state, stamp: '' })),
        isConfirmedAfter(() => index.delete('f/a')),
        isConfirmedAfter(() => index.delete('f/a')),
        isConfirmedAfter(() => index.set('f', { state, stamp: '' })),
      ],
      [true, false, false, true, false],
    );
  });

  void it('notes what has to be planned again: all at first, then what has changed', () => {
    const index = new PathIndex();
    const state = { kind: 'special', what: 'a socket' } as const;
    index.restore('a', { state, stamp: '' });
    assert.equal(index.unplanned.take(), undefined);
    index.set('b', { state, stamp: '' });
    index.delete('a');
    index.delete('c');
    assert.deepEqual([...(index.unplanned.take() ?? [])], ['b', 'a']);
  });

  void it('takes what was known before for no change', () => {
    const index = new PathIndex();
    const node = { state: { kind: 'settled', entry: fileOf(3n, 4n) }, stamp: '1:2:3:4:5' } as const;
    index.restore('file', node);
    assert.equal(index.haveChanges, false);
    assert.deepEqual([index.files, index.bytes, index.size], [1, 3, 1]);
    index.delete('file');
    assert.deepEqual(index.takeChanges().get('file'), { before: node.state.entry, after: undefined });
  });
});

const a = fileEntry('a');
const longer = fileEntry('a, but longer');

function settled(entry: Entry): PathState {
  return { kind: 'settled', entry };
}

function indexOf(entries: Readonly<Record<string, Entry>>): PathIndex {
  const index = new PathIndex();
  for (const [path, entry] of Object.entries(entries))
    index.set(path, { state: settled(entry), stamp: path });
  return index;
}

void describe('The index of a directory', () => {
  void it('counts files and bytes as the other side is to see them: a file that changes counts as it was', () => {
    const index = indexOf({ a, folder: folderEntry(), link: linkEntry('a') });
    assert.deepEqual([index.size, index.files, index.bytes], [3, 1, a.size]);
    index.set('a', { state: { kind: 'moving', last: a }, stamp: '2' });
    assert.deepEqual([index.files, index.bytes], [1, a.size]);
    index.set('a', { state: settled(longer), stamp: '3' });
    assert.deepEqual([index.files, index.bytes], [1, longer.size]);
    index.set('new', { state: { kind: 'moving' }, stamp: '1' });
    assert.deepEqual([index.files, index.bytes], [1, longer.size]);
    index.set('a', { state: { kind: 'unreadable', errno: 'EIO' }, stamp: '' });
    assert.deepEqual([index.files, index.bytes], [0, 0]);
    index.delete('a');
    index.delete('a');
    assert.deepEqual([index.size, index.files, index.bytes], [3, 0, 0]);
  });

  void it('has a digest of what is there, whatever the way to it', () => {
    const way = indexOf({ a: longer, b: a, 'f/c': a });
    way.set('a', { state: { kind: 'moving', last: longer }, stamp: '' });
    way.set('a', { state: settled(a), stamp: '' });
    way.delete('b');
    way.set('x', { state: { kind: 'special', what: 'a fifo' }, stamp: '' });
    const straight = indexOf({ 'f/c': a, a });
    assert.equal(way.digest, straight.digest);
    way.delete('f/c');
    assert.notEqual(way.digest, straight.digest);
    way.delete('a');
    assert.equal(way.digest, new PathIndex().digest);
  });

  void it('knows what lies in a folder and below it, parents first, until that is gone', () => {
    const names = ['f', 'f/a', 'f/g', 'f/g/b', 'f/g/h', 'f/g/h/c', 'fa'];
    const index = indexOf(Object.fromEntries(names.map((name) => [name, a])));
    assert.deepEqual([...index.childrenOf('')].sort(), ['f', 'fa']);
    assert.deepEqual([...index.childrenOf('f/g')].sort(), ['f/g/b', 'f/g/h']);
    const below = [...index.below('f')];
    assert.deepEqual(below.toSorted(), names.slice(1, -1));
    for (const [place, path] of below.entries())
      assert.ok(path.lastIndexOf('/') === 1 || below.indexOf(path.slice(0, path.lastIndexOf('/'))) < place);
    index.delete('f/g/h/c');
    index.delete('f/g/b');
    assert.deepEqual([...index.childrenOf('f/g')], ['f/g/h']);
    assert.deepEqual([...index.childrenOf('f/g/h')], []);
    assert.deepEqual([...index.paths()].sort(), ['f', 'f/a', 'f/g', 'f/g/h', 'fa']);
  });

  void it('gives the stamp of exactly the entry that is meant', () => {
    const index = indexOf({ a, folder: folderEntry() });
    assert.equal(index.stampOf('a', { ...a }), 'a');
    assert.equal(index.stampOf('a', { ...a, mtime: '1' }), undefined);
    assert.equal(index.stampOf('a', longer), undefined);
    assert.equal(index.stampOf('a', 'special'), undefined);
    assert.equal(index.stampOf('nothing', a), undefined);
    index.set('a', { state: { kind: 'moving', last: a }, stamp: '2' });
    assert.equal(index.stampOf('a', a), undefined);
    index.set('a', { state: { kind: 'special', what: 'a fifo' }, stamp: '3' });
    assert.equal(index.stampOf('a', 'special'), '3');
    assert.equal(index.stampOf('a', a), undefined);
  });

  void it('lists what does not travel, with the reason, as long as that is so', () => {
    const index = indexOf({ a });
    index.set('fifo', { state: { kind: 'special', what: 'a fifo' }, stamp: '1' });
    index.set('a', { state: { kind: 'unreadable', errno: 'EIO' }, stamp: '' });
    assert.deepEqual(
      new Map(index.skipped),
      new Map([
        ['fifo', 'a fifo'],
        ['a', "can't be read: EIO"],
      ]),
    );
    index.set('a', { state: settled(a), stamp: '2' });
    index.delete('fifo');
    assert.deepEqual([...index.skipped], []);
  });
});

void describe('The changes of an index', () => {
  void it('go from what was known when they were last taken to what is there now, by path', () => {
    const index = indexOf({ a, b: a });
    assert.deepEqual(
      [...index.takeChanges()],
      [
        ['a', { before: undefined, after: settled(a) }],
        ['b', { before: undefined, after: settled(a) }],
      ],
    );
    assert.equal(index.haveChanges, false);
    index.set('a', { state: { kind: 'moving', last: a }, stamp: '2' });
    index.set('a', { state: settled(longer), stamp: '3' });
    index.set('b', { state: settled(longer), stamp: '2' });
    index.delete('b');
    assert.ok(index.haveChanges);
    assert.deepEqual(
      [...index.takeChanges()],
      [
        ['a', { before: a, after: settled(longer) }],
        ['b', { before: a, after: undefined }],
      ],
    );
    assert.deepEqual([...index.takeChanges()], []);
  });

  void it('are taken a few at a time, with the removals behind these', () => {
    const index = indexOf({ old: a, other: a });
    index.takeChanges();
    index.set('new', { state: settled(a), stamp: '1' });
    index.delete('old');
    index.set('b', { state: settled(a), stamp: '2' });
    index.set('c', { state: settled(a), stamp: '3' });
    index.delete('other');
    const taken = [1, 1, 1, 1].map((most) => [...index.takeChanges(most).keys()]);
    assert.deepEqual(taken, [['new', 'old'], ['b'], ['c', 'other'], []]);
  });

  void it('that were not taken over come again, with what has happened since', () => {
    const index = indexOf({ a, b: a });
    const changes = index.takeChanges();
    index.set('a', { state: settled(longer), stamp: '2' });
    index.set('c', { state: settled(a), stamp: '1' });
    index.putBack(changes);
    assert.deepEqual(
      new Map(index.takeChanges()),
      new Map([
        ['a', { before: undefined, after: settled(longer) }],
        ['b', { before: undefined, after: settled(a) }],
        ['c', { before: undefined, after: settled(a) }],
      ]),
    );
    const removal = (index.delete('b'), index.takeChanges());
    index.set('b', { state: settled(a), stamp: '4' });
    index.putBack(removal);
    assert.deepEqual([...index.takeChanges()], [['b', { before: a, after: settled(a) }]]);
  });
});
