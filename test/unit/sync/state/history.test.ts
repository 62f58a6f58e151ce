import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { History, type HistoryFilter, type HistoryRow } from '#sync/state/history.ts';
import { stateFor } from '../../../support/unit/stateFor.ts';

const ROW: HistoryRow = {
  at: 1_000,
  mds: 'mds1',
  directory: 'moh',
  changeSet: '20270101T000000000Z-0',
  kind: 'put',
  detail: 'a.wav: new on Main',
  path: 'a.wav',
  reason: 'new on Main',
};

function historyOf(t: TestContext, ...rows: Partial<HistoryRow>[]): History {
  const history = new History(stateFor(t));
  for (const row of rows) history.add({ ...ROW, ...row });
  return history;
}

/** The times of the rows that are found. */
function times(history: History, filter: Partial<HistoryFilter>): number[] {
  return history.find({ limit: 100, ...filter }).map(({ at }) => at);
}

void describe('The history', () => {
  void it('gives what was written into it, the newest first', (t) => {
    const whole = { ...ROW, at: 2_000, actor: 'watcher', bytes: 7, durationMs: 0, save: '20270101T0-s' };
    const history = historyOf(t, {}, whole);
    assert.deepEqual(history.newest(10), [
      { ...whole, number: 2 },
      { ...ROW, number: 1, actor: null, bytes: null, durationMs: null, save: null },
    ]);
    assert.deepEqual(history.newest(1), [{ ...whole, number: 2 }]);
    assert.deepEqual(history.newest(10, 'mds2'), []);
  });

  void it('is asked by MDS, directory, time and number, all together', (t) => {
    const history = historyOf(
      t,
      { at: 1 },
      { at: 2, mds: 'mds2' },
      { at: 3, directory: 'sounds' },
      { at: 4, mds: 'mds2', directory: 'sounds' },
    );
    assert.deepEqual(times(history, {}), [4, 3, 2, 1]);
    assert.deepEqual(times(history, { mds: 'mds2' }), [4, 2]);
    assert.deepEqual(times(history, { directory: 'sounds' }), [4, 3]);
    assert.deepEqual(times(history, { mds: 'mds2', directory: 'sounds' }), [4]);
    assert.deepEqual(times(history, { since: 2, until: 4 }), [3, 2]);
    assert.deepEqual(times(history, { after: 2 }), [4, 3]);
    assert.deepEqual(times(history, { limit: 2 }), [4, 3]);
  });

  void it('of a path is that of the folder, too, and of no other name that begins so', (t) => {
    const old = { path: null, reason: null };
    const history = historyOf(
      t,
      { at: 1, path: 'fr' },
      { at: 2, path: 'fr/a_b.wav' },
      { at: 3, path: 'french' },
      { at: 4, path: 'fr.wav' },
      // Rows of an older version have the path in their text alone.
      { at: 5, ...old, detail: 'fr: new on Main' },
      { at: 6, ...old, detail: 'fr/a.wav: new on Main' },
      { at: 7, ...old, detail: 'french: new on Main' },
    );
    assert.deepEqual(times(history, { path: 'fr' }), [6, 5, 2, 1]);
    assert.deepEqual(times(history, { path: 'fr/a_b.wav' }), [2]);
    // No character stands for another one.
    assert.deepEqual(times(history, { path: 'fr/a%' }), []);
    assert.deepEqual(times(history, { path: 'f_' }), []);
  });

  void it('of a change set or a save is found by the beginning of its id', (t) => {
    const history = historyOf(
      t,
      { at: 1, changeSet: '20270101T1-a', save: '20270101T0-s' },
      { at: 2, changeSet: '20270101T1-b', mds: 'mds2', directory: 'sounds', save: '20270101T0-s' },
      { at: 3, changeSet: '20270102T1-c' },
    );
    assert.deepEqual(times(history, { changeSet: '20270101T1' }), [2, 1]);
    assert.deepEqual(times(history, { changeSet: '20270101T0-s' }), [2, 1]);
    assert.deepEqual(times(history, { changeSet: '20270102T1-c' }), [3]);
    assert.deepEqual(times(history, { changeSet: '%' }), []);
    assert.deepEqual(history.changeSetsFrom('20270101T', 10), [
      '20270101T0-s',
      '20270101T1-a',
      '20270101T1-b',
    ]);
    assert.deepEqual(history.changeSetsFrom('20270101T', 2), ['20270101T0-s', '20270101T1-a']);
    assert.deepEqual(history.changeSetsFrom('2028', 2), []);
    assert.ok(
      history.isSave('20270101T0-s') && !history.isSave('20270101T0') && !history.isSave('20270101T1-a'),
    );
    assert.deepEqual(history.directoriesOfSave('20270101T0-s').sort(), ['moh', 'sounds']);
    assert.deepEqual(history.directoriesOfSave('20270101T1-a'), []);
  });

  void it('names the places of a change set, with the time of the first entry of each', (t) => {
    const history = historyOf(
      t,
      { at: 5 },
      { at: 3 },
      { at: 4, mds: 'mds2' },
      { at: 1, mds: 'mds2', changeSet: 'another' },
    );
    assert.deepEqual(history.placesOf(ROW.changeSet), [
      { mds: 'mds1', directory: 'moh', at: 3 },
      { mds: 'mds2', directory: 'moh', at: 4 },
    ]);
  });

  void it('keeps the beginning of a text that an MDS made endless', (t) => {
    const [row] = historyOf(t, { detail: 'd'.repeat(2_001), reason: 'r'.repeat(100_000) }).newest(1);
    assert.deepEqual([row?.detail, row?.reason], [`${'d'.repeat(1_999)}…`, 'r'.repeat(2_000)]);
    const [whole] = historyOf(t, { detail: 'd'.repeat(2_000) }).newest(1);
    assert.equal(whole?.detail, 'd'.repeat(2_000));
  });

  void it('makes room for new rows', (t) => {
    const db = stateFor(t);
    const history = new History(db);
    db.transaction(() => {
      db.prepare(
        `WITH RECURSIVE many (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM many WHERE i < 200500)
          INSERT INTO history (at, mds, directory, change_set, kind, detail) SELECT i, 'm', 'd', 'c', 'put', '' FROM many`,
      ).run();
      for (let i = 0; i < 10_000; i++) history.add({ ...ROW, at: 1_000_000 + i });
    });
    const rows = Number(db.prepare('SELECT count(*) AS rows FROM history').get()?.['rows']);
    assert.equal(rows, 200_000);
    assert.equal(history.newest(1)[0]?.at, 1_009_999);
  });
});
