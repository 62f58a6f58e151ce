import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { Entry } from '#core/manifest/entry.ts';
import { stampOf } from '#core/manifest/stamp.ts';
import { PathIndex } from '#sync/scan/pathIndex.ts';

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

  void it('knows what is in a folder, and below it', () => {
    const index = new PathIndex();
    const folder: Entry = { type: 'folder', ...COMMON };
    for (const path of ['a', 'a/b', 'a/b/c', 'a/d', 'e'])
      index.set(path, { state: { kind: 'settled', entry: folder }, stamp: '' });
    assert.deepEqual([...index.childrenOf('a')], ['a/b', 'a/d']);
    assert.deepEqual([...index.namesIn('a')], ['b', 'd']);
    assert.deepEqual([...index.namesIn('')], ['a', 'e']);
    assert.deepEqual([...index.below('a')], ['a/b', 'a/b/c', 'a/d']);
    index.delete('a/b/c');
    assert.deepEqual([...index.childrenOf('a/b')], []);
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
