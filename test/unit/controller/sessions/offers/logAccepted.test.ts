import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger } from '#host/log/logger.ts';
import type { HistoryRow } from '#sync/state/history.ts';
import { logAccepted, MAX_LOGGED } from '../../../../../controller/sessions/offers/logAccepted.ts';

function rowsOf(kinds: Readonly<Record<string, number>>): HistoryRow[] {
  return Object.entries(kinds).flatMap(([kind, count]) =>
    Array.from({ length: count }, (_, number) => ({
      at: 0,
      mds: 'mds1',
      directory: 'recordings',
      changeSet: 'a set',
      kind,
      detail: `${number}.wav: new on the MDS`,
      bytes: 10,
    })),
  );
}

function logged(kinds: Readonly<Record<string, number>>): [string, object][] {
  const lines: [string, object][] = [];
  logAccepted(
    createLogger('info', ({ event, details = {} }) => lines.push([event, details])),
    rowsOf(kinds),
  );
  return lines;
}

const where = { mds: 'mds1', directory: 'recordings' };

void test('what an MDS has sent is logged file by file', () => {
  assert.deepEqual(logged({ received: 1, 'removed on Main': 1 }), [
    ['received', { ...where, path: '0.wav: new on the MDS' }],
    ['removed on Main', { ...where, path: '0.wav: new on the MDS' }],
  ]);
  assert.equal(logged({ received: MAX_LOGGED }).length, MAX_LOGGED);
  assert.deepEqual(logged({}), []);
});

void test('of a large set, how many files there are of each kind is logged, and each conflict', () => {
  assert.deepEqual(logged({ received: MAX_LOGGED - 1, conflict: 1, 'removed on Main': 1 }), [
    ['received', { ...where, changes: MAX_LOGGED - 1, bytes: 190, changeSet: 'a set' }],
    ['conflict', { ...where, path: '0.wav: new on the MDS' }],
    ['removed on Main', { ...where, changes: 1, bytes: 10, changeSet: 'a set' }],
  ]);
});

void test('of very many conflicts the first are logged, and how many there are', () => {
  const lines = logged({ conflict: 5_000 });
  assert.equal(lines.length, MAX_LOGGED + 1);
  assert.deepEqual(lines.at(-1), [
    'conflict',
    { ...where, changes: 5_000, bytes: 50_000, changeSet: 'a set' },
  ]);
});
