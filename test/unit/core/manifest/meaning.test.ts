import assert from 'node:assert/strict';
import { test } from 'node:test';
import { entrySchema, isFileTime } from '#protocol/entry.ts';
import { isEntry } from '#core/manifest/meaning.ts';

const OWNER = { owner: 'root', group: 'root', uid: 0, gid: 0 };
const FILE = { type: 'file', size: 1, hash: 'a'.repeat(64), mtime: '17', mode: 0o644, ...OWNER };
const FOLDER = { type: 'folder', mode: 0o755, ...OWNER };
const LINK = { type: 'link', target: 'a', ...OWNER };

void test('every time that a file system can hold is one', () => {
  const seconds = [0n, -2_147_483_648n, 15_032_385_535n, 2n ** 63n - 1n, -(2n ** 63n)];
  for (const second of seconds) assert.ok(isFileTime(String(second * 1_000_000_000n)), String(second));
  assert.ok(isFileTime(String((2n ** 63n - 1n) * 1_000_000_000n + 999_999_999n)));
  for (const no of [String(2n ** 63n * 1_000_000_000n), '1e9', '', '-', ' 1', '1.5', '1n'])
    assert.equal(isFileTime(no), false, no);
});

void test('what the schema of arriving entries refuses is not an entry here either, and the reverse', () => {
  const wrong = [undefined, null, -1, 1.5, 1e300, NaN, '', 'x'.repeat(5_000), {}, [], true, 2 ** 53, '0x10'];
  for (const entry of [FILE, FOLDER, LINK]) {
    assert.ok(isEntry(entry) && entrySchema.safeParse(entry).success);
    for (const key of Object.keys(entry)) {
      for (const value of wrong) {
        const lie: object = { ...entry, [key]: value };
        assert.equal(isEntry(lie), entrySchema.safeParse(lie).success, `${key}: ${JSON.stringify(value)}`);
      }
    }
  }
});
