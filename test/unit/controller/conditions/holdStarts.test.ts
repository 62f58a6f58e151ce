import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { createLogger } from '#host/log/logger.ts';
import { Database } from '#sync/state/database.ts';
import { DeferredWriter } from '#sync/state/deferredWriter.ts';
import type { StandingCondition } from '../../../../controller/conditions/condition.ts';
import { HoldStarts } from '../../../../controller/conditions/holdStarts.ts';
import type { Facts } from '../../../../controller/control/contract/contract.ts';
import { stateFile } from '../../../support/unit/lastSeenOf.ts';
import { ManualClock } from '../../../support/wire/manualClock.ts';

const [OF_MDS, OF_MAIN] = ['hold of mds1', 'hold of Main'];

/** @param file the state of an earlier one, to start again with it */
function startsOf(t: TestContext, file: string, isRead = true): HoldStarts {
  const db = new Database(file);
  t.after(() => db.close());
  const nothing = (): void => undefined;
  const log = createLogger('error', nothing);
  const clock = new ManualClock();
  const keeper = new DeferredWriter({ db, clock, log, onNews: nothing, onRecovered: nothing });
  return new HoldStarts({ db, keeper, isRead: () => isRead });
}

function hold(since: number, mds?: string): StandingCondition {
  const key = mds === undefined ? OF_MAIN : OF_MDS;
  const [cause, action] = ['it is on hold', 'confirm it'];
  const where = { directory: 'moh', ...(mds !== undefined && { mds }) };
  return { key, kind: 'hold', severity: 'critical', ...where, cause, action, since };
}

function facts(state: string, inSync = false): Facts {
  const mds = [{ name: 'mds1', state, directories: [{ name: 'moh', inSync }] }];
  return { main: { directories: [{ name: 'moh', held: null }] }, mds } as unknown as Facts;
}

void test('the start of a hold outlives Main and a connection, until its directory is in sync', (t) => {
  const file = stateFile(t);
  const before = startsOf(t, file);
  before.update([hold(5, 'mds1')], facts('connected'));
  before.update([], facts('disconnected'));
  before.update([], facts('connected'));
  assert.deepEqual(before.known, [[OF_MDS, 5]], 'the agent has not judged yet');
  before.update([hold(9, 'mds1')], facts('connected'));
  const after = startsOf(t, file);
  after.update([], facts('disconnected'));
  after.update([], facts('connected'));
  assert.deepEqual(after.known, [[OF_MDS, 5]]);
  after.update([], facts('connected', true));
  assert.deepEqual(after.known, []);
  assert.deepEqual(startsOf(t, file).known, [], 'that is kept, too');
});

void test('a hold that was seen to end is forgotten, and the next one has a start of its own', (t) => {
  const starts = startsOf(t, stateFile(t));
  starts.update([hold(5, 'mds1')], facts('connected'));
  starts.update([], facts('connected'));
  assert.deepEqual(starts.known, []);
  starts.update([hold(9, 'mds1')], facts('connected'));
  assert.deepEqual(starts.known, [[OF_MDS, 9]]);
});

void test('a hold on Main is not forgotten before Main has read its directories', (t) => {
  const file = stateFile(t);
  startsOf(t, file).update([hold(5)], facts('connected'));
  const unread = startsOf(t, file, false);
  unread.update([], facts('connected'));
  assert.deepEqual(unread.known, [[OF_MAIN, 5]]);
  const read = startsOf(t, file);
  read.update([], facts('connected'));
  assert.deepEqual(read.known, []);
});

void test('of an MDS that was removed, or a directory that is not configured any more, nothing is kept', (t) => {
  const file = stateFile(t);
  const starts = startsOf(t, file, false);
  const both = [hold(5, 'mds1'), hold(6)];
  starts.update(both, facts('connected'));
  starts.update([hold(6)], facts('revoked'));
  assert.deepEqual(starts.known, [[OF_MAIN, 6]]);
  const after = startsOf(t, file, false);
  after.update([], { main: { directories: [] }, mds: [] } as unknown as Facts);
  assert.deepEqual(after.known, []);
});
