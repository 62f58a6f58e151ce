import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { AppliedRevisions } from '../../../../controller/versions/appliedRevisions.ts';
import { RevisionLog } from '../../../../controller/versions/revisionLog.ts';
import type { PlannedAction } from '#protocol/messages/common.ts';
import type { Database } from '#sync/state/database.ts';
import { ApplyPlace, fileEntry } from '../../../support/unit/applyPlace.ts';

type Made = { readonly db: Database; readonly log: RevisionLog; readonly appliedRevisions: AppliedRevisions };

function make(t: TestContext): Made {
  const { db } = new ApplyPlace(t);
  const log = new RevisionLog(db);
  return { db, log, appliedRevisions: new AppliedRevisions(db, log) };
}

/** A change of a file on Main. */
function change({ log }: Made, name: string, from: string, to: string): number {
  log.append('dialplan', name, fileEntry(from), fileEntry(to), 0);
  return log.newest;
}

const sent = (...paths: string[]): PlannedAction[] =>
  paths.map((name) => ({ directory: 'dialplan', action: 'send', path: name, bytes: 1, reason: '' }));

void test('a change set of an MDS begins at the first change in Main’s log that the MDS did not have', (t) => {
  const versions = make(t);
  const { appliedRevisions } = versions;
  change(versions, 'a', '0', '1');
  appliedRevisions.meet('dialplan', 'mds1');
  const first = change(versions, 'a', '1', '2');
  change(versions, 'b', '1', '2');
  change(versions, 'a', '2', '3');
  appliedRevisions.applied('dialplan', 'mds1', 'set-1', sent('b', 'a'));
  assert.equal(appliedRevisions.numberOf('dialplan', 'set-1'), first);
  appliedRevisions.inSync('dialplan', 'mds1');
  const next = change(versions, 'b', '2', '3');
  appliedRevisions.applied('dialplan', 'mds1', 'set-2', sent('b', 'a'));
  assert.equal(appliedRevisions.numberOf('dialplan', 'set-2'), next);
});

void test('two change sets about the same file, before the MDS is in sync, each begin at their own change', (t) => {
  const versions = make(t);
  const { appliedRevisions } = versions;
  appliedRevisions.meet('dialplan', 'mds1');
  const first = change(versions, 'a', '1', '2');
  appliedRevisions.applied('dialplan', 'mds1', 'set-1', sent('a'));
  const second = change(versions, 'a', '2', '3');
  appliedRevisions.applied('dialplan', 'mds1', 'set-2', sent('a'));
  assert.equal(appliedRevisions.numberOf('dialplan', 'set-1'), first);
  assert.equal(appliedRevisions.numberOf('dialplan', 'set-2'), second);
});

void test('a change set of a new MDS, or one that only undid an edit, stands for no change of Main', (t) => {
  const versions = make(t);
  const { appliedRevisions } = versions;
  change(versions, 'a', '1', '2');
  appliedRevisions.meet('dialplan', 'mds1');
  appliedRevisions.applied('dialplan', 'mds1', 'first-contact', sent('a'));
  assert.equal(appliedRevisions.numberOf('dialplan', 'first-contact'), undefined);
  change(versions, 'a', '2', '3');
  appliedRevisions.applied('dialplan', 'mds1', 'set', sent('a'));
  const restored: PlannedAction[] = sent('a').map((action) => ({ ...action, action: 'restore' }));
  appliedRevisions.applied('dialplan', 'mds1', 'drift', restored);
  assert.equal(appliedRevisions.numberOf('dialplan', 'drift'), undefined);
});

void test('a change set that could not be recorded is judged again when it is repeated', (t) => {
  const versions = make(t);
  const { appliedRevisions, db } = versions;
  appliedRevisions.meet('dialplan', 'mds1');
  const first = change(versions, 'a', '1', '2');
  assert.throws(() =>
    db.transaction(() => {
      appliedRevisions.applied('dialplan', 'mds1', 'set', sent('a'));
      throw new Error('the disk is full');
    }),
  );
  change(versions, 'a', '2', '3');
  appliedRevisions.applied('dialplan', 'mds1', 'set', sent('a'));
  assert.equal(appliedRevisions.numberOf('dialplan', 'set'), first);
});

void test('parts of one change set begin at the earliest, and what was dropped from the log is forgotten', (t) => {
  const versions = make(t);
  const { appliedRevisions } = versions;
  appliedRevisions.meet('dialplan', 'mds1');
  const first = change(versions, 'a', '1', '2');
  change(versions, 'b', '1', '2');
  appliedRevisions.applied('dialplan', 'mds1', 'set', sent('b'));
  appliedRevisions.applied('dialplan', 'mds1', 'set', sent('a'));
  appliedRevisions.place('dialplan', 'set', first + 1);
  assert.equal(appliedRevisions.numberOf('dialplan', 'set'), first);
  assert.equal(appliedRevisions.numberOf('moh', 'set'), undefined);
  appliedRevisions.dropBefore(first);
  assert.equal(appliedRevisions.numberOf('dialplan', 'set'), first);
  appliedRevisions.dropBefore(first + 1);
  assert.equal(appliedRevisions.numberOf('dialplan', 'set'), undefined);
});
