import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { NumberedRow } from '#sync/state/history.ts';
import { recentChangeSets, recentConflicts } from '../../../../controller/page/recentChangeSets.ts';
import { ONE_SAVE_WITHIN, savesIn } from '../../../../controller/page/saves.ts';

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
  it('are one each, on however many MDS a save was carried out', () => {
    const rows = [
      row({ changeSet: 'b2', mds: 'mds2', at: 1_100, path: 'y.wav' }),
      row({ changeSet: 'b1', at: 1_000, path: 'y.wav' }),
      row({ changeSet: 'a2', mds: 'mds2', at: 200 }),
      row({ changeSet: 'a1', at: 100 }),
    ];
    assert.deepEqual(
      recentChangeSets(rows).map(({ id, mds, at, actors }) => [id, mds, Date.parse(at), actors]),
      [
        ['b2', ['mds1', 'mds2'], 1_000, ['main']],
        ['a2', ['mds1', 'mds2'], 100, ['main']],
      ],
    );
  });

  it('are apart when an MDS caught up later, has another set, or has the same one again', () => {
    const late = [row({ changeSet: 'a2', mds: 'mds2', at: ONE_SAVE_WITHIN + 1 }), row({ changeSet: 'a1' })];
    assert.equal(savesIn(late).length, 2);
    const more = [
      row({ changeSet: 'a2', mds: 'mds2' }),
      row({ changeSet: 'a2', mds: 'mds2', path: 'y.wav' }),
      row({ changeSet: 'a1' }),
    ];
    assert.equal(savesIn(more).length, 2);
    const again = [row({ changeSet: 'a3', at: 50 }), row({ changeSet: 'a1' })];
    assert.equal(savesIn(again).length, 2);
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
