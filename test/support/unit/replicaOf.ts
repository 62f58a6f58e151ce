import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { Owners } from '#host/fs/owners.ts';
import { Replica } from '#sync/scan/replica.ts';
import { ScanIndexTable } from '#sync/state/scanIndex.ts';
import { systemClock } from '#host/time/clock.ts';
import type { ApplyPlace } from './applyPlace.ts';

/** What a place holds, read once. Files count as quiet at once. An error is one of the test's, unless it is expected. */
export async function replicaOf(
  t: TestContext,
  place: ApplyPlace,
  owners = new Owners(),
  onError: (error: unknown) => void = (error) => assert.fail(String(error)),
): Promise<Replica> {
  const replica = new Replica({
    rules: { name: 'files', settle: 0, emptyIsHeld: false, whole: false },
    path: place.root,
    nested: new Set(),
    index: new ScanIndexTable(place.db, 'files'),
    owners,
    clock: systemClock,
    events: {
      onChanges: () => undefined,
      onHeld: () => undefined,
      onError,
    },
  });
  t.after(() => replica.close());
  await replica.rescan();
  await replica.whenQuiet(2_000);
  return replica;
}
