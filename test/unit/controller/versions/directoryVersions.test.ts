import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { it, type TestContext } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { createLogger } from '#host/log/logger.ts';
import type { Replica } from '#sync/scan/replica.ts';
import { DirectoryVersions } from '../../../../controller/versions/directoryVersions.ts';
import { Versions } from '../../../../controller/versions/versions.ts';
import { eventually } from '../../../support/harness/host.ts';
import { ApplyPlace } from '../../../support/unit/applyPlace.ts';
import { replicaOf } from '../../../support/unit/replicaOf.ts';
import { ManualClock } from '../../../support/wire/manualClock.ts';

type Case = {
  place: ApplyPlace;
  clock: ManualClock;
  replica: Replica;
  versions: Versions;
  directory: DirectoryVersions;
};

async function given(t: TestContext): Promise<Case> {
  const place = new ApplyPlace(t);
  mkdirSync(place.at('folder'));
  for (const name of ['a', 'b', 'folder/c']) writeFileSync(place.at(name), name);
  const replica = await replicaOf(t, place);
  const { db } = place;
  const clock = new ManualClock();
  const log = createLogger('warn', ({ event }) => assert.fail(event));
  const places = new Map([['files', place.root]]);
  const versions = new Versions({ db, compact: [], places, budget: () => 1024 ** 2, reserve: 0 });
  const directory = new DirectoryVersions({ directory: 'files', replica, versions, db, clock, log });
  return { place, clock, replica, versions, directory };
}

function kept({ replica, versions }: Case): number {
  return [...replica.paths()].filter((path) => {
    const state = replica.get(path);
    return state?.kind === 'settled' && state.entry.type === 'file' && versions.files.has(state.entry.hash);
  }).length;
}

void it('a directory that closes while it waits for quiet keeps nothing more, and leaves no wait behind', async (t) => {
  const one = await given(t);
  const { clock, replica, directory } = one;
  directory.keep(replica.paths());
  await turn();
  assert.equal(clock.timers, 1);
  let isClosed = false;
  const closed = directory.close().then(() => (isClosed = true));
  for (let turns = 0; turns < 5; turns++) await turn();
  assert.ok(isClosed, 'it waits for a clock that stands still');
  await closed;
  directory.keep(replica.paths());
  assert.equal(clock.timers, 0);
  assert.equal(kept(one), 0);
});

void it('after a copy that took an hour, the next one is made within a minute', async (t) => {
  const each = await given(t);
  const { clock, replica, directory } = each;
  directory.keep(replica.paths());
  await turn();
  clock.advance(1_501);
  // The copy has started, and ends in the thread pool.
  await turn();
  clock.advance(3_600_000);
  await eventually('a copy is there', () => kept(each) === 1);
  await eventually('it rests', () => clock.timers === 1);
  assert.equal(clock.nextIn, 60_000);
  await directory.close();
});

void it('of a file that is removed before it is quiet, nothing stays scheduled', async (t) => {
  const each = await given(t);
  const { place, clock, replica, directory } = each;
  // The first is waited for.
  directory.keep(['a', 'b', 'folder/c']);
  await turn();
  rmSync(place.at('b'));
  await replica.rescan();
  await replica.whenQuiet(2_000);
  const lookedAt = t.mock.method(replica, 'stampAt').mock;
  directory.keep(['b']);
  clock.advance(3_001);
  await eventually('the others are kept', () => {
    clock.advance(1_000);
    return kept(each) === 2;
  });
  assert.ok(lookedAt.calls.every(({ arguments: [path] }) => path !== 'b'));
  await directory.close();
});
