import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { createLogger } from '#host/log/logger.ts';
import { DirectoryVersions } from '../../../../controller/versions/directoryVersions.ts';
import { Versions } from '../../../../controller/versions/versions.ts';
import { ApplyPlace } from '../../../support/unit/applyPlace.ts';
import { replicaOf } from '../../../support/unit/replicaOf.ts';
import { ManualClock } from '../../../support/wire/manualClock.ts';

void it('a directory that closes while it waits for quiet keeps nothing more, and leaves no wait behind', async (t) => {
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
  for (const path of replica.paths()) {
    const state = replica.get(path);
    if (state?.kind === 'settled' && state.entry.type === 'file')
      assert.equal(versions.files.has(state.entry.hash), false);
  }
});
