import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Entry } from '#core/manifest/entry.ts';
import { EntryMap } from '#core/manifest/kept/entryMap.ts';
import { filePool } from '#core/manifest/kept/filePool.ts';
import { collectedUntil, MANY, manyFiles } from '../../../../support/unit/collected.ts';
import { fileEntry, folderEntry, linkEntry } from '../../../../support/unit/applyPlace.ts';

type Other = { readonly kind: string };

const values = fc.constantFrom<Entry | Other>(
  fileEntry('a'),
  fileEntry('b'),
  // Kept as it is.
  { ...fileEntry('c'), mtime: '9'.repeat(28) },
  folderEntry(),
  linkEntry('a'),
  { kind: 'special' },
);

void test('a map of entries has what a map has, in the same order', () => {
  const acts = fc.record({
    path: fc.constantFrom('a', 'b', 'c', 'd'),
    value: fc.option(values, { nil: undefined }),
  });
  fc.assert(
    fc.property(fc.array(acts, { maxLength: 60 }), (list) => {
      const before = filePool.size;
      const map = new EntryMap<Other>();
      const expected = new Map<string, Entry | Other>();
      for (const { path, value } of list) {
        if (value === undefined) {
          map.delete(path);
          expected.delete(path);
        } else {
          map.set(path, value);
          expected.set(path, value);
        }
        assert.deepEqual(map.get(path), value);
        assert.deepEqual([map.has(path), map.size], [value !== undefined, expected.size]);
        assert.deepEqual([...map], [...expected]);
        assert.deepEqual([...map.keys()], [...expected.keys()]);
      }
      for (const path of expected.keys()) map.delete(path);
      assert.equal(filePool.size, before, 'an entry is kept for nothing');
    }),
  );
});

void test('a map that is discarded keeps nothing in the pool', async () => {
  (() => {
    const map = new EntryMap();
    for (const entry of manyFiles()) map.set(entry.mtime, entry);
  })();
  const before = filePool.size;
  assert.ok(await collectedUntil(() => filePool.size <= before - MANY));
});

void test('a map that takes over the texts of paths has the same entries', () => {
  const map = new EntryMap();
  for (const path of ['a', 'b', 'c']) map.set(path, fileEntry(path));
  map.sharePaths(['c', 'a', 'elsewhere']);
  assert.deepEqual(new Map(map), new Map(['a', 'b', 'c'].map((path) => [path, fileEntry(path)] as const)));
});
