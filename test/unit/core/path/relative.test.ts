import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  depthOf,
  isBelow,
  isOverride,
  MAX_DEPTH,
  parentOf,
  refusePath,
  tooLong,
} from '#core/path/relative.ts';

const deep = (levels: number): string => Array.from({ length: levels }, () => 'f').join('/');

void test('a path of a peer is taken only when it stays inside, and outside the private folder', () => {
  for (const path of [
    'a',
    'a/b/c.wav',
    '...',
    '..a/b..',
    '.hidden',
    'a/.xivo-xds-sync/b',
    '.xivo-xds-sync2',
    'caf\udce9',
    'a\\b',
    ' ',
    deep(MAX_DEPTH),
    'x'.repeat(255),
    '漢'.repeat(85),
  ])
    assert.equal(refusePath(path), undefined, path);
  for (const [path, why] of [
    ['', /empty$/],
    ['/etc/passwd', /absolute/],
    ['a/../b', /part "\.\."/],
    ['..', /part "\.\."/],
    ['.', /part "\."/],
    ['a/./b', /part "\."/],
    ['a//b', /empty part/],
    ['a/', /empty part/],
    ['a\0b', /NUL/],
    ['.xivo-xds-sync', /own folder/],
    ['.xivo-xds-sync/stage/x', /own folder/],
    [deep(MAX_DEPTH + 1), /64 folders deep/],
    ['x'.repeat(256), /longer than 255 bytes/],
    [`a/${'漢'.repeat(86)}/b`, /longer than 255 bytes/],
    [`${`${'x'.repeat(254)}/`.repeat(16)}${'y'.repeat(17)}`, /longer than 4096 bytes/],
  ] as const)
    assert.match(refusePath(path) ?? '', why, path);
});

void test('a path is as long as its bytes', () => {
  const names = (bytes: number): string => 'x'.repeat(bytes);
  assert.equal(tooLong(names(4_096)), undefined);
  assert.equal(tooLong(names(4_097)), 4_097);
  assert.equal(tooLong('漢'.repeat(1_365)), undefined);
  assert.equal(tooLong('漢'.repeat(1_366)), 4_098);
  assert.equal(tooLong('\udce9'.repeat(4_096)), undefined);
});

void test('an override is one by the beginning of its own name, or of a folder above it', () => {
  for (const path of ['xds_override', 'xds_override.conf', 'a/xds_override_d/b/c', 'a/b/xds_overrideX'])
    assert.ok(isOverride(path), path);
  for (const path of ['my_xds_override', 'a/my_xds_override/b', 'XDS_OVERRIDE', 'xds_overrid'])
    assert.equal(isOverride(path), false, path);
});

void test('what lies below a folder begins with its whole name', () => {
  assert.ok(isBelow('a/b', 'a') && isBelow('a/b/c', 'a/b') && isBelow('a', ''));
  for (const [path, folder] of [
    ['a', 'a'],
    ['ab/c', 'a'],
    ['a', 'a/b'],
    ['b/a', 'a'],
  ] as const)
    assert.equal(isBelow(path, folder), false, `${path} in ${folder}`);
  assert.deepEqual([parentOf('a'), parentOf('a/b/c'), depthOf('a'), depthOf('a/b/c')], ['', 'a/b', 1, 3]);
});
