import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import type { Offer } from '#protocol/messages/common.ts';
import type { DirectoryConfig } from '#host/config/directoryConfig.ts';
import type { Entry } from '#core/manifest/entry.ts';
import { entryOf } from '#core/manifest/pathState.ts';
import {
  contentBytes,
  hasContent,
  isAsExpected,
  refuseOffer,
  resumeOffsetOf,
} from '../../../../../controller/sessions/offers/check.ts';
import { fileEntry, folderEntry, linkEntry } from '../../../../support/unit/applyPlace.ts';
import { MainPlace } from '../../../../support/unit/mainDirectory.ts';

const reason = 'says the MDS';
const FILE = fileEntry('a recording');
const put = (path: string, entry: Entry = FILE, expect: Entry | null = null): Offer => ({
  op: 'put',
  path,
  entry,
  expect,
  conflict: false,
  reason,
});
const remove = (path: string, expect: Entry = FILE): Offer => ({ op: 'remove', path, expect, reason });
const keep = (path: string, entry: Entry): Offer => ({ op: 'keep', path, entry, reason });

const HELD = { 'a.wav': 'a', 'folder/b.wav': 'b', 'own/xds_override_c.wav': 'c' };

for (const [what, offer, why, config] of [
  ['a path that leads out of the directory', put('../a.wav'), /a part "\.\."/],
  ["a path in this program's own folder", put('.xivo-xds-sync/trash/a'), /own folder/],
  ['an override', put('xds_override_a.wav'), /overrides are never synchronised/],
  ['a file below an override', put('xds_override_d/a.wav'), /overrides are never synchronised/],
  ['an excluded name', put('a.bak'), /excluded on Main \(\*\.bak\)/],
  ['the removal of an excluded name', remove('a.bak'), /excluded on Main/],
  ['an excluded folder', put('cache', folderEntry()), /excluded on Main \(cache\/\)/],
  ['a path of another synchronised directory', put('nested/a.wav'), /another synchronised directory/],
  [
    'a removal where those of an MDS do not count',
    remove('a.wav'),
    /removals .* do not count/,
    { deletions: 'main' },
  ],
  ['a link that leads outside', put('a', linkEntry('../../etc/passwd')), /leads outside/],
  [
    'a file in the place of a folder with an override',
    put('own', FILE, folderEntry()),
    /a folder with an override in its place/,
  ],
  [
    'a file in the place of a full folder, where the removals of an MDS do not count',
    put('folder', FILE, folderEntry()),
    /a folder with something in it/,
    { deletions: 'main' },
  ],
  ['a file that would run as its owner', put('a', fileEntry('a', 0o4755)), /set-id bits/],
  ['a mode by which a file would run as its group', put('a', fileEntry('a', 0o2755)), /set-id bits/],
  ['a folder that lost a conflict', keep('a', folderEntry()), /only files are kept/],
  [
    'anything in a directory of one direction',
    put('new.wav'),
    /an MDS may not change "files"/,
    { direction: 'to-mds' },
  ],
] as const satisfies readonly (readonly [string, Offer, RegExp, Partial<DirectoryConfig>?])[]) {
  void test(`Main refuses ${what}`, async (t) => {
    const { directory } = await MainPlace.make(t, { exclude: ['*.bak', 'cache/'], ...config }, HELD);
    assert.match(refuseOffer(directory, offer) ?? 'not refused', why);
  });
}

for (const [what, offer] of [
  ['a new file', put('new.wav')],
  ['a removal', remove('a.wav')],
  ['a file with the name of an excluded folder', put('cache')],
  ['a link to something inside', put('folder/link', linkEntry('../a.wav'))],
  ['a folder whose group is passed on', put('new', folderEntry(0o2775))],
  ['a file in the place of a full folder', put('folder', FILE, folderEntry())],
  ['a file that lost a conflict', keep('a.wav', FILE)],
] as const) {
  void test(`Main does not refuse ${what}`, async (t) => {
    const { directory } = await MainPlace.make(t, { exclude: ['*.bak', 'cache/'] }, HELD);
    assert.equal(refuseOffer(directory, offer), undefined);
  });
}

void test('what a person asked for may change a directory of one direction, under all other rules', async (t) => {
  const { directory } = await MainPlace.make(t, { direction: 'to-mds' }, HELD);
  assert.equal(refuseOffer(directory, put('new.wav'), true), undefined);
  assert.match(refuseOffer(directory, put('../new.wav'), true) ?? '', /a part/);
});

void test('while Main itself holds a directory, nothing is taken', async (t) => {
  const place = await MainPlace.make(t, {}, HELD);
  rmSync(place.at(''), { recursive: true });
  await place.directory.replica.rescan();
  assert.match(refuseOffer(place.directory, put('new.wav')) ?? '', /is on hold on Main: .*ENOENT/);
});

void test('an offer is for the version that Main still has, and for no other', async (t) => {
  const place = await MainPlace.make(t, {}, HELD);
  const { directory } = place;
  const now = entryOf(directory.replica.get('a.wav'));
  assert.ok(now);
  const as = (offer: Offer): boolean => isAsExpected(directory, offer);
  assert.ok(as(put('new.wav')));
  assert.ok(!as(put('a.wav')), 'something is there already');
  assert.ok(as(put('a.wav', FILE, now)) && as(remove('a.wav', now)));
  assert.ok(!as(put('a.wav', FILE, fileEntry('older'))) && !as(remove('gone.wav', now)));
  assert.ok(as(keep('a.wav', FILE)), 'the loser of a conflict replaces nothing');
});

void test('only files bring content, less what Main has of them', () => {
  const bytes = FILE.size;
  assert.ok(hasContent(put('a')) && hasContent(keep('a', FILE)));
  for (const none of [remove('a'), put('a', folderEntry()), put('a', linkEntry('b'))]) {
    assert.ok(!hasContent(none));
    assert.equal(contentBytes(none), 0);
    assert.equal(resumeOffsetOf(none), 0);
  }
  const metadata: Offer = { op: 'metadata', path: 'a', entry: FILE, expect: FILE, reason };
  assert.equal(contentBytes(metadata), 0);
  assert.equal(contentBytes(put('a')), bytes);
  assert.equal(resumeOffsetOf(put('a')), 0);
  assert.equal(resumeOffsetOf({ ...put('a'), from: 3 } as Offer), 3);
  assert.equal(resumeOffsetOf({ ...put('a'), from: bytes + 9 } as Offer), bytes, 'no more than there is');
});
