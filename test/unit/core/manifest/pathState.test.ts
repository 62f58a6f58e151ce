import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PathState } from '#core/manifest/pathState.ts';
import { sameState } from '#core/manifest/pathState.ts';
import { fileEntry, folderEntry, linkEntry } from '../../../support/unit/applyPlace.ts';

const file = fileEntry('music');
const folder = folderEntry();
const link = linkEntry('music');

const entries = [
  file,
  ...[{ size: 1 }, { hash: '0'.repeat(64) }, { mtime: '1' }, { mode: 0 }].map((other) => ({
    ...file,
    ...other,
  })),
  folder,
  { ...folder, mode: 0 },
  link,
  { ...link, target: 'other' },
  ...[file, folder, link].flatMap((entry) =>
    [{ owner: 'x' }, { group: 'x' }, { uid: 4_711 }, { gid: 4_711 }].map((other) => ({ ...entry, ...other })),
  ),
];

const states: PathState[] = [
  ...entries.map((entry) => ({ kind: 'settled', entry }) as const),
  ...entries.map((last) => ({ kind: 'moving', last }) as const),
  { kind: 'moving' },
  { kind: 'special', what: 'a fifo' },
  { kind: 'special', what: 'a socket' },
  { kind: 'unreadable', errno: 'EIO' },
  { kind: 'unreadable', errno: 'EACCES' },
];

test('a state is the same as another one that is equal in everything, and as no other', () => {
  for (const [one, a] of states.entries())
    for (const [other, b] of structuredClone(states).entries())
      assert.equal(sameState(a, b), one === other, `${JSON.stringify(a)} ${JSON.stringify(b)}`);
});
