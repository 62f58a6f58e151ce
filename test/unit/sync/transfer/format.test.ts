import assert from 'node:assert/strict';
import { test } from 'node:test';
import { paysToCompress } from '#sync/transfer/format.ts';

const file = (path: string, size: number): { path: string; size: number } => ({ path, size });

void test('text is compressed, sound is not, and of a mixture the larger part decides', () => {
  assert.ok(paysToCompress([file('extensions.conf', 10_000)]));
  for (const name of ['a.wav', 'a.WAV', 'fr/a.slin16', 'a.g722', 'a.mp3'])
    assert.equal(paysToCompress([file(name, 10_000)]), false, name);
  assert.ok(paysToCompress([file('a.wav', 9_999), file('b.conf', 5_000), file('c.conf', 5_000)]));
  assert.equal(paysToCompress([file('a.wav', 10_000), file('b.conf', 10_000)]), false);
});

void test('a little text is not worth it', () => {
  assert.equal(paysToCompress([]), false);
  assert.equal(paysToCompress([file('a.conf', 1_000), file('b.conf', 1_048)]), false);
  assert.ok(paysToCompress([file('a.conf', 1_000), file('b.conf', 1_049)]));
});
