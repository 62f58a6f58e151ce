import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Owners } from '#host/fs/owners.ts';
import { MainManifest } from '../../../../../agent/directory/manifest/mainManifest.ts';
import { fileEntry } from '../../../../support/unit/applyPlace.ts';

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
