import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expandGlob } from '#core/dialplan/glob.ts';

test('patterns find what glob(3) finds, in its order', () => {
  const tree: Record<string, string[]> = {
    '/d': ['b.conf', 'a.conf', '.h.conf', 'B.conf', 'sub', 'x[1].conf', 'é.conf'],
    '/d/sub': ['a.inc'],
    '/': ['d'],
  };
  const glob = (pattern: string): string[] => expandGlob(pattern, (folder) => tree[folder] ?? []);
  assert.deepEqual(glob('/d/*.conf'), ['/d/B.conf', '/d/a.conf', '/d/b.conf', '/d/x[1].conf', '/d/é.conf']);
  assert.deepEqual(glob('/d/.*'), ['/d/.h.conf']);
  assert.deepEqual(glob('/d/{b,a}.conf'), ['/d/b.conf', '/d/a.conf']);
  assert.deepEqual(glob('/*/s?b/*.inc'), ['/d/sub/a.inc']);
  assert.deepEqual(glob('/d/[!a-b].conf'), ['/d/B.conf', '/d/é.conf']);
  assert.deepEqual(glob('/d/x\\[1\\].conf'), ['/d/x[1].conf']);
  assert.deepEqual(glob('/d/none.conf'), ['/d/none.conf']);
  assert.deepEqual(glob('/d/[.conf'), []);
});

test('patterns have nested braces and classes of characters', () => {
  const names = ['1.inc', 'a.inc', 'b.inc', 'c.inc', '{b.inc', 'x y'];
  const glob = (pattern: string): string[] => expandGlob(pattern, () => names);
  assert.deepEqual(glob('/{b,{a,c}}.inc'), ['/b.inc', '/a.inc', '/c.inc']);
  assert.deepEqual(glob('/{{c,a},b}.inc'), ['/c.inc', '/a.inc', '/b.inc']);
  assert.deepEqual(glob('/{b.inc'), ['/{b.inc']);
  assert.deepEqual(glob('/[[:digit:]].inc'), ['/1.inc']);
  assert.deepEqual(glob('/[![:digit:]a].inc'), ['/b.inc', '/c.inc']);
  assert.deepEqual(glob('/x[[:space:]]y'), ['/x y']);
});

test('a name that begins with a dot is found by its dot alone, in every folder on the way', () => {
  const tree: Record<string, string[]> = { '/d': ['.h', 'a'], '/d/.h': ['x'], '/d/a': ['x', '.x'] };
  const glob = (pattern: string): string[] => expandGlob(pattern, (folder) => tree[folder] ?? []);
  assert.deepEqual(glob('/d/*/*'), ['/d/a/x']);
  assert.deepEqual(glob('/d/.h/*'), ['/d/.h/x']);
  assert.deepEqual(glob('/d/[.]h'), []);
  assert.deepEqual(glob('/d/?h'), []);
});

test('what means something to a regular expression means itself here', () => {
  const names = ['a.b', 'axb', 'a+b', 'a(b)', 'a|b', 'a$', 'a^', 'a-c', 'a]c'];
  const glob = (pattern: string): string[] => expandGlob(pattern, () => names).map((path) => path.slice(1));
  assert.deepEqual(glob('/a.?'), ['a.b']);
  assert.deepEqual(glob('/?+b'), ['a+b']);
  assert.deepEqual(glob('/a(*)'), ['a(b)']);
  assert.deepEqual(glob('/?|b'), ['a|b']);
  assert.deepEqual(glob('/*$'), ['a$']);
  assert.deepEqual(glob('/a[]-]c'), ['a-c', 'a]c']);
  assert.deepEqual(glob('/a[^a-z.+(|]*'), ['a$', 'a-c', 'a]c', 'a^']);
});

test('the order is that of bytes, not that of letters or of UTF-16', () => {
  const names = ['b', 'B', 'é', '\ud83d\ude00', '\uff5e', 'caf\udce9', 'a'];
  assert.deepEqual(
    expandGlob('/*', () => names),
    ['/B', '/a', '/b', '/caf\udce9', '/é', '/\uff5e', '/\ud83d\ude00'],
  );
});

test('braces that multiply without end come to one', () => {
  const found = expandGlob(`/${'{a,b}'.repeat(40)}`, () => []);
  assert.ok(found.length <= 200);
});
