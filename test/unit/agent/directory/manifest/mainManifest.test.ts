import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ManifestEntry } from '#protocol/messages/common.ts';
import { Owners } from '#host/fs/owners.ts';
import { MainManifest } from '../../../../../agent/directory/manifest/mainManifest.ts';
import { fileEntry, folderEntry, linkEntry } from '../../../../support/unit/applyPlace.ts';

const item = (
  path: string,
): { path: string; shown: { kind: 'settled'; entry: ReturnType<typeof fileEntry> } } => ({
  path,
  shown: { kind: 'settled', entry: fileEntry(path) },
});

test('the save of a path is what Main said last, and nothing where Main does not say it', () => {
  const view = new MainManifest(new Owners(), new Set());
  view.begin(null, null);
  view.page([item('a'), item('b'), item('c')], { ids: ['first', 'second'], of: [0, 1, -1] });
  view.end(1);
  assert.deepEqual(
    ['a', 'b', 'c', 'd'].map((path) => view.saveOf(path)),
    ['first', 'second', null, null],
  );
  // What came by a later save is the later save's, also when that is not said, or points nowhere.
  view.change(1, 2, null, [item('a'), item('b'), item('c')], { ids: ['third'], of: [-1, 5, 0] });
  assert.deepEqual(
    ['a', 'b', 'c'].map((path) => view.saveOf(path)),
    [null, null, 'third'],
  );
  // A Main that was restarted knows less, and so much is said.
  view.begin(null, null);
  view.page([item('c')]);
  view.end(3);
  assert.equal(view.saveOf('c'), null);
});

test('what Main changes has to be planned again: all after a whole manifest', () => {
  const view = new MainManifest(new Owners(), new Set());
  view.unplanned.take();
  view.restore('a', item('a').shown);
  assert.deepEqual([...(view.unplanned.take() ?? [])], ['a']);
  view.begin(null, null);
  view.page([item('a'), item('b')]);
  view.end(1);
  assert.equal(view.unplanned.take(), undefined);
  view.change(1, 2, null, [item('c'), { path: 'a', shown: { kind: 'gone' } }]);
  assert.deepEqual([...(view.unplanned.take() ?? [])], ['c', 'a']);
});

test('the children of a folder are those that Main has now, whenever they were first asked for', () => {
  const view = new MainManifest(new Owners(), new Set());
  view.begin(null, null);
  view.page([item('en/a'), item('en/b'), item('fr/a')]);
  view.end(1);
  const inEn = (): string[] => [...view.childrenOf('en')].toSorted();
  assert.deepEqual(inEn(), ['en/a', 'en/b']);
  view.change(1, 2, null, [item('en/c'), { path: 'en/a', shown: { kind: 'gone' } }]);
  assert.deepEqual(inEn(), ['en/b', 'en/c']);
  view.begin(null, null);
  view.page([item('en/d')]);
  view.end(3);
  assert.deepEqual(inEn(), ['en/d']);
  assert.deepEqual([...view.childrenOf('fr')], []);
});

const settled = (entry: Extract<ManifestEntry, { kind: 'settled' }>['entry']): ManifestEntry => ({
  kind: 'settled',
  entry,
});

/** A manifest of this content, whole. */
function whole(content: Readonly<Record<string, ManifestEntry>>): MainManifest {
  const view = new MainManifest(new Owners(), new Set(['nested']));
  view.begin(null, null);
  view.page(Object.entries(content).map(([path, shown]) => ({ path, shown })));
  assert.equal(view.end(1), 'whole');
  return view;
}

test('what Main names is no path to a file that this host must not touch', () => {
  const view = whole({
    '../out': settled(fileEntry('a')),
    '.xivo-xds-sync/trash': settled(folderEntry()),
    'nested/a': settled(fileEntry('a')),
    link: settled(linkEntry('../../etc/passwd')),
    xds_override_a: settled(fileEntry('a')),
    fine: settled(linkEntry('a')),
  });
  for (const path of ['../out', '.xivo-xds-sync/trash', 'nested/a']) {
    assert.deepEqual(view.get(path), { kind: 'special', what: 'a path that is not allowed' });
    assert.ok(view.refused.has(path));
  }
  assert.deepEqual(view.get('link'), { kind: 'special', what: 'a link that leads outside' });
  assert.equal(view.get('xds_override_a'), undefined);
  assert.equal(view.get('fine')?.kind, 'settled');
});

test('below a folder that Main can not read, nothing is known to be gone', () => {
  const view = whole({ locked: { kind: 'unreadable', errno: 'EACCES' }, open: settled(folderEntry()) });
  assert.deepEqual(view.get('locked/deep/a'), { kind: 'unreadable', errno: 'EACCES' });
  assert.equal(view.get('open/a'), undefined);
});

test('a removal counts until the path is back, and one of a path that is not allowed never', () => {
  const gone: ManifestEntry = { kind: 'gone', tombstone: fileEntry('a') };
  const view = whole({ a: gone, b: { kind: 'gone' }, '../out': gone });
  assert.deepEqual([...view.tombstones.keys()], ['a']);
  assert.equal(view.get('a'), undefined);
  view.change(1, 2, null, [item('a')]);
  assert.equal(view.tombstones.size, 0);
  view.change(2, 3, null, [{ path: 'a', shown: gone }]);
  assert.deepEqual([...view.tombstones.keys()], ['a']);
});

test('nothing is planned by a copy that is arriving, outdated, or proved to be wrong', () => {
  const view = whole({ a: settled(fileEntry('a')) });
  assert.equal(view.revision, 1);
  assert.equal(view.change(7, 8, null, [item('b')]), undefined, 'it is based on another revision');
  assert.equal(view.revision, 1);
  view.begin(null, null);
  assert.deepEqual(
    view.change(1, 2, 'a hold', [item('c')]),
    [],
    'what changes while it arrives is a part of it',
  );
  assert.equal(view.held, 'a hold');
  assert.equal(view.end(2), 'whole');
  assert.deepEqual([...view.paths()], ['c']);
  view.begin(null, null);
  assert.equal(view.end(3, 'f'.repeat(64)), 'wrong');
  assert.equal(view.isReady, false);
  assert.equal(view.end(4), 'unexpected');
  view.forgetRevision();
  assert.equal(view.page([item('a')]), 'a manifest page without a beginning');
});

test('a difference takes what Main does not name out of the copy, and is one only from what was offered', () => {
  const view = whole({ a: settled(fileEntry('a')), b: settled(fileEntry('b')) });
  assert.match(view.begin(null, null, [0]) ?? '', /was not offered/);
  assert.ok(view.offer() !== undefined);
  assert.equal(view.begin(null, null, [0]), undefined);
  assert.equal(view.revision, undefined, 'nothing is planned meanwhile');
  view.page([item('a'), item('c')]);
  assert.equal(view.end(2), 'whole');
  assert.equal(view.get('b'), undefined);
  assert.deepEqual([view.get('a')?.kind, view.get('c')?.kind], ['settled', 'settled']);
  assert.match(view.begin(null, null, [0]) ?? '', /was not offered/, 'an offer is for one answer');
});
