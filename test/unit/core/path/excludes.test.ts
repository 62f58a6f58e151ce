import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeName } from '#core/path/nameBytes.ts';
import { defaultExcludes, Excludes, refusePattern } from '#core/path/excludes.ts';

void test("editors' and packagers' left-overs are no dialplan", () => {
  const excludes = new Excludes(defaultExcludes('dialplan'));
  const out = ['a.conf~', 'a.conf.bak', 'a.conf.orig', 'a.conf.rej', 'a.conf.save', 'a.conf.dpkg-old'];
  out.push('a.conf.rpmnew', '.a.conf.swp', '#a.conf#', '4913', '.DS_Store', 'parts/a.conf~', 'Thumbs.db');
  for (const path of out) assert.ok(excludes.patternFor(path, false), path);
  for (const path of ['a.conf', 'bak.conf', '49130', 'a.BAK', '#a', '.hidden', 'a.swp'])
    assert.equal(excludes.patternFor(path, false), undefined, path);
  assert.equal(excludes.patternFor('#a.conf#', false), '\\#*#');
});

void test('other directories exclude only names that are never content', () => {
  const excludes = new Excludes(defaultExcludes('moh'));
  assert.equal(excludes.patternFor('song.bak', false), undefined);
  assert.equal(excludes.patternFor('lost+found', true), 'lost+found');
  assert.equal(excludes.patternFor('lost+found/#12', false), 'lost+found');
});

void test('patterns are those of gitignore: the last one counts, a folder takes what it holds along', () => {
  const excludes = new Excludes([...defaultExcludes('dialplan'), '!*.bak', 'cache/', '/top']);
  assert.equal(excludes.patternFor('a.bak', false), undefined);
  assert.equal(excludes.patternFor('cache', false), undefined);
  assert.equal(excludes.patternFor('cache', true), 'cache/');
  assert.equal(excludes.patternFor('deep/cache/a', false), 'cache/');
  assert.equal(excludes.patternFor('top', false), '/top');
  assert.equal(excludes.patternFor('deep/top', false), undefined);
});

void test('names are bytes', () => {
  const excludes = new Excludes(['*.bak', 'x?']);
  assert.equal(excludes.patternFor(decodeName(Buffer.from('f\xe9.bak', 'latin1')), false), '*.bak');
  assert.equal(excludes.patternFor(decodeName(Buffer.from('x\xe9', 'latin1')), false), 'x?');
  assert.equal(excludes.patternFor('a\nb.bak', false), '*.bak');
});

void test('more answers than are remembered are still right', () => {
  const excludes = new Excludes(['*.bak']);
  for (let i = 0; i < 25_000; i++) assert.equal(excludes.patternFor(`${i}.bak`, false), '*.bak');
});

void test('what would never match is refused', () => {
  assert.match(refusePattern('#*#') ?? '', /comment/);
  assert.match(refusePattern(' ') ?? '', /empty/);
  assert.match(refusePattern('a\nb') ?? '', /line break/);
  assert.equal(refusePattern('\\#*#'), undefined);
});
