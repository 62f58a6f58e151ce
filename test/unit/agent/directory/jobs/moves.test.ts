import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bothWays, movesIn } from '../../../../../agent/directory/jobs/moves.ts';
import { schedule } from '../../../../../agent/directory/jobs/schedule.ts';
import { scheduled } from '../../../../support/unit/scheduled.ts';
import type { Entry, FileEntry } from '#core/manifest/entry.ts';
import { type Decision, deliverNew } from '#core/plan/decision.ts';
import { fileEntry } from '../../../../support/unit/applyPlace.ts';

const deliver = (entry: Entry, more: Partial<Decision & { kind: 'deliver' }> = {}): Decision => ({
  ...deliverNew(entry),
  ...more,
});
const remove = (expect: Entry): Decision => ({ kind: 'remove', expect, reason: 'removed on Main' });

void test('a file that goes under one name and comes under another is moved', () => {
  const entry = fileEntry('content');
  assert.deepEqual(
    [
      ...movesIn(
        new Map([
          ['new', deliver(entry)],
          ['old', remove(entry)],
        ]),
      ),
    ],
    [['new', 'old']],
  );
});

void test('a file that goes is moved to one name only; another one is a copy', () => {
  const entry = fileEntry('content');
  const items = new Map([
    ['a', deliver(entry)],
    ['b', deliver(entry)],
    ['old', remove(entry)],
  ]);
  assert.deepEqual([...movesIn(items)], [['a', 'old']]);
});

void test('what differs in anything, or has something in its way, is not moved', () => {
  const entry = fileEntry('content');
  const others: Decision[] = [
    deliver(fileEntry('other')),
    deliver(fileEntry('content', 0o600)),
    deliver({ ...entry, mtime: '1' }),
    deliver(entry, { expect: fileEntry('in the way') }),
    deliver(entry, { replacesSpecial: true }),
    deliver(entry, { content: false }),
  ];
  for (const other of others)
    assert.equal(
      movesIn(
        new Map([
          ['new', other],
          ['old', remove(entry)],
        ]),
      ).size,
      0,
    );
});

void test('a large file that is renamed is scheduled with its old name, as one that brings no content', () => {
  const large: FileEntry = { ...fileEntry('content'), size: 512 * 1024 * 1024 };
  const ready = new Map([
    ['old', remove(large)],
    ['new', deliver(large)],
  ]);
  const jobs = scheduled({
    ready,
    running: [],
    wholeSets: false,
    largeFrom: 8 * 1024 * 1024,
    folderIsThere: () => true,
  });
  assert.deepEqual(
    jobs.map(({ size, items }) => [size, [...items.keys()].sort()]),
    [['bulk', ['new', 'old']]],
  );
});

void test('the old name stays until the folder of the new one can be made', () => {
  const entry = fileEntry('content');
  const ready = new Map([
    ['old', remove(entry)],
    ['folder/new', deliver(entry)],
  ]);
  assert.deepEqual(
    scheduled({
      ready,
      running: [],
      wholeSets: false,
      largeFrom: 8 * 1024 * 1024,
      folderIsThere: () => false,
    }),
    [],
  );
});

void test('what is to be renamed and is not ready with both names is removed, or brought with its content', () => {
  const large: FileEntry = { ...fileEntry('content'), size: 512 * 1024 * 1024 };
  const moves = bothWays(new Map([['new', 'old']]));
  const rest = {
    moves,
    live: new Set<string>(),
    running: [],
    wholeSets: false,
    largeFrom: 8 * 1024 * 1024,
    folderIsThere: () => true,
  };
  const sets = (path: string, item: Decision): [size: string, paths: string[]][] =>
    schedule({ ready: new Map([[path, item]]), ...rest }).map(({ size, items }) => [size, [...items.keys()]]);
  assert.deepEqual(sets('old', remove(large)), [['bulk', ['old']]]);
  assert.deepEqual(sets('new', deliver(large)), [['large', ['new']]]);
});
