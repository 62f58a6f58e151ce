import assert from 'node:assert/strict';
import { test } from 'node:test';
import { undo } from '../../../../controller/versions/undo.ts';
import type { PathRevision } from '../../../../controller/versions/revisionLog.ts';
import type { Entry } from '#core/manifest/entry.ts';
import type { PathState } from '#core/manifest/pathState.ts';
import { parentOf } from '#core/path/relative.ts';
import type { Tree } from '#core/plan/tree.ts';
import { fileEntry, folderEntry, linkEntry } from '../../../support/unit/applyPlace.ts';

/** A directory that holds this now. */
function tree(now: Readonly<Record<string, Entry | PathState>>, override?: string): Tree {
  const states = new Map<string, PathState | undefined>(
    Object.entries(now).map(([path, it]) => [path, 'kind' in it ? it : { kind: 'settled', entry: it }]),
  );
  return {
    get: (path) => states.get(path),
    paths: () => states.keys(),
    childrenOf: (folder) => [...states.keys()].filter((path) => parentOf(path) === folder),
    holdsOverride: (folder) => folder === override,
    held: undefined,
  };
}

function log(...revisions: [path: string, before: Entry | null][]): PathRevision[] {
  return revisions.map(([path, before], i) => ({ number: i + 1, path, before }));
}

function stepsOf(revisions: PathRevision[], now: Tree): string[] {
  const { steps, unclear } = undo(revisions, now);
  assert.deepEqual(unclear, []);
  return steps.map(({ kind, path }) => `${kind} ${path}`);
}

void test('of several changes to a file, what was before the first one comes back', () => {
  const now = tree({ a: fileEntry('3') });
  const { steps } = undo(log(['a', fileEntry('1')], ['a', fileEntry('2')]), now);
  assert.deepEqual(steps, [{ kind: 'put', path: 'a', entry: fileEntry('1') }]);
});

void test('files that were added since are removed, removed ones come back, unchanged ones stay', () => {
  const now = tree({ new: fileEntry('n'), same: fileEntry('s') });
  const revisions = log(
    ['new', null],
    ['gone', fileEntry('g')],
    ['same', fileEntry('s')],
    ['link', linkEntry('same')],
  );
  assert.deepEqual(stepsOf(revisions, now), ['put gone', 'put link', 'remove new']);
});

void test('a file that came and went again is ignored', () => {
  assert.deepEqual(stepsOf(log(['a', null], ['a', fileEntry('1')]), tree({})), []);
});

void test('only its metadata is restored where the content is as it was', () => {
  const now = tree({ a: fileEntry('1', 0o600), f: folderEntry(0o700) });
  assert.deepEqual(stepsOf(log(['a', fileEntry('1', 0o644)], ['f', folderEntry(0o755)]), now), [
    'metadata a',
    'metadata f',
  ]);
});

void test('a folder goes with what came in it, but not with what is not known to have come', () => {
  const revisions = log(['f', null], ['f/sub', null], ['f/sub/a', null]);
  const now = { f: folderEntry(), 'f/sub': folderEntry(), 'f/sub/a': fileEntry('a') };
  assert.deepEqual(stepsOf(revisions, tree(now)), ['remove f', 'remove f/sub', 'remove f/sub/a']);
  const withFifo = tree({ ...now, 'f/fifo': { kind: 'special', what: 'a fifo' } });
  assert.deepEqual(stepsOf(revisions, withFifo), ['remove f/sub', 'remove f/sub/a']);
  assert.deepEqual(stepsOf(revisions, tree(now, 'f')), ['remove f/sub', 'remove f/sub/a']);
});

void test('a file takes the place of the folder that took its place, with all that is in it', () => {
  const revisions = log(['x', fileEntry('x')], ['x/a', null]);
  const now = { x: folderEntry(), 'x/a': fileEntry('a') };
  assert.deepEqual(stepsOf(revisions, tree(now)), ['put x']);
  assert.match(undo(revisions, tree(now, 'x')).unclear[0]?.why ?? '', /override/);
});

void test('a folder takes the place of the file that took its place', () => {
  const revisions = log(['x/a', fileEntry('a')], ['x', folderEntry()], ['x', null]);
  assert.deepEqual(stepsOf(revisions, tree({ x: fileEntry('x') })), ['put x', 'put x/a']);
});

void test('a file that is being written or can not be read leaves the whole unclear', () => {
  const now = tree({ a: { kind: 'moving' }, b: { kind: 'unreadable', errno: 'EIO' } });
  const { unclear } = undo(log(['a', fileEntry('1')], ['b', fileEntry('1')]), now);
  assert.deepEqual(
    unclear.map(({ path, why }) => `${path} ${why}`),
    ['a it is being written', "b it can't be read (EIO)"],
  );
});
