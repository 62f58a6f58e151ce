import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { NumberedRow } from '#sync/state/history.ts';
import { recentChangeSets, recentConflicts } from '../../../../controller/page/recentChangeSets.ts';
import { savesIn } from '../../../../controller/page/saves.ts';

let number = 0;

function row(changes: Partial<NumberedRow>): NumberedRow {
  number += 1;
  return {
    at: 0,
    mds: 'mds1',
    directory: 'moh',
    changeSet: 'a',
    kind: 'send',
    detail: 'x.wav: new on Main',
    path: 'x.wav',
    reason: 'new on Main',
    actor: 'main',
    save: null,
    bytes: 3,
    durationMs: null,
    number,
    ...changes,
  };
}

describe('Saves in the history', () => {
  it('are one each, on however many MDS a save was carried out, and whenever', () => {
    const rows = [
      row({ changeSet: 'a3', save: 'a', mds: 'mds3', at: 9_000_000 }),
      row({ changeSet: 'b2', save: 'b', mds: 'mds2', at: 1_100, path: 'y.wav' }),
      row({ changeSet: 'b1', save: 'b', at: 1_000, path: 'y.wav' }),
      row({ changeSet: 'a2', save: 'a', mds: 'mds2', at: 200 }),
      row({ changeSet: 'a1', save: 'a', at: 100 }),
    ];
    assert.deepEqual(
      recentChangeSets(rows).map(({ id, mds, at, actors }) => [id, mds, Date.parse(at), actors]),
      [
        ['a', ['mds1', 'mds2', 'mds3'], 100, ['main']],
        ['b', ['mds1', 'mds2'], 1_000, ['main']],
      ],
    );
  });

  it('are apart in one change set that carried two out, and what follows none stands for itself', () => {
    const both = [
      row({ changeSet: 'x', save: 'a' }),
      row({ changeSet: 'x', save: 'b', path: 'y.wav' }),
      row({ changeSet: 'c' }),
      row({ changeSet: 'd', mds: 'mds2' }),
    ];
    assert.deepEqual(
      savesIn(both).map(({ id, rows }) => [id, rows.length]),
      [
        ['a', 1],
        ['b', 1],
        ['c', 1],
        ['d', 1],
      ],
    );
  });

  it('say what they change for callers, which is no path', () => {
    const [set] = recentChangeSets([
      row({ kind: 'dialplan', detail: '[a] +1,1', path: null, reason: null, actor: null }),
      row({ path: 'a.conf' }),
    ]);
    assert.equal(set?.dialplan, '[a] +1,1');
    assert.deepEqual(set?.paths, ['a.conf']);
    assert.deepEqual(set?.actions, { send: 1 });
  });

  it('name the conflicts among them', () => {
    const rows = [
      row({}),
      row({ kind: 'conflict', directory: 'recordings', changeSet: 'c', reason: 'newer' }),
    ];
    assert.deepEqual(
      recentConflicts(rows).map(({ path, reason, changeSet }) => [path, reason, changeSet]),
      [['recordings/x.wav', 'newer', 'c']],
    );
  });
});
