import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Offer } from '#protocol/messages/common.ts';
import { type Grant, grantedOffers } from '../../../../../controller/sessions/offers/grant.ts';
import { fileEntry } from '../../../../support/unit/applyPlace.ts';

const entry = fileEntry('edited');
const folder = { type: 'folder', mode: 0o755, owner: 'root', group: 'root', uid: 0, gid: 0 } as const;
const GRANT: Grant = {
  directory: 'dialplan',
  files: new Map([['sub/trunk.conf', entry.size]]),
  reason: 'adopted from mds1',
  actor: 'command by alice',
  kind: 'adopt',
  onDone: () => undefined,
};
const put = (path: string, changed: Partial<Offer & { op: 'put' }> = {}): Offer => ({
  op: 'put',
  path,
  entry,
  expect: null,
  conflict: false,
  reason: 'says the MDS',
  ...changed,
});

void test('a person lets an MDS put on Main just what was shown, under the person’s reason', () => {
  const offers = [put('sub', { entry: folder }), put('sub/trunk.conf')];
  const granted = grantedOffers(GRANT, 'dialplan', offers);
  assert.deepEqual(
    granted?.map(({ path, reason }) => [path, reason]),
    [
      ['sub', 'adopted from mds1'],
      ['sub/trunk.conf', 'adopted from mds1'],
    ],
  );
});

void test('one offer that was not shown, and none of its set is taken under the grant', () => {
  const shown = put('sub/trunk.conf');
  const lies: Offer[] = [
    put('other.conf'),
    put('sub/trunk.conf', { entry: { ...entry, size: entry.size + 1 } }),
    put('sub/trunk.conf', { from: 1 }),
    put('elsewhere', { entry: folder }),
    put('sub', { entry: folder, expect: entry }),
    { op: 'remove', path: 'sub/trunk.conf', expect: entry, reason: '' },
    { op: 'metadata', path: 'sub/trunk.conf', entry, expect: entry, reason: '' },
    { op: 'keep', path: 'sub/trunk.conf', entry, reason: '' },
  ];
  for (const lie of lies)
    assert.equal(grantedOffers(GRANT, 'dialplan', [shown, lie]), undefined, JSON.stringify(lie));
  assert.equal(grantedOffers(GRANT, 'moh', [shown]), undefined);
});
