import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ManifestEntry } from '#protocol/messages/common.ts';
import { CompatibleManifest } from '../../../../../controller/sessions/manifest/compatibleManifest.ts';
import { fileEntry } from '../../../../support/unit/applyPlace.ts';

const FAR: ManifestEntry = { kind: 'settled', entry: { ...fileEntry('far'), mtime: '10413792000000000000' } };
const NEAR: ManifestEntry = { kind: 'settled', entry: fileEntry('near'), clock: '5000000000' };

void test('an agent of this version gets everything unchanged', () => {
  const words = new CompatibleManifest(new Set(['clocks', 'far-times']));
  assert.deepEqual(
    [
      ...words.of('moh', [
        ['f', FAR],
        ['n', NEAR],
      ]),
    ],
    [
      { path: 'f', shown: FAR },
      { path: 'n', shown: NEAR },
    ],
  );
  assert.equal(words.differs('moh'), false);
});

void test('an older one gets a file with a time after 2286 as skipped, by name, until it is gone', () => {
  const words = new CompatibleManifest(new Set());
  const [far, near] = words.of('moh', [
    ['f', FAR],
    ['n', NEAR],
  ]);
  assert.equal(far?.shown.kind, 'special');
  assert.deepEqual(near?.shown, { kind: 'settled', entry: fileEntry('near') });
  assert.deepEqual([...words.omitted('moh').keys()], ['f']);
  assert.ok(words.differs('moh'));
  assert.equal(words.differs('sounds'), false);
  assert.deepEqual([...words.of('moh', [['f', { kind: 'gone' }]])], [{ path: 'f', shown: { kind: 'gone' } }]);
  assert.equal(words.omitted('moh').size, 0);
});
