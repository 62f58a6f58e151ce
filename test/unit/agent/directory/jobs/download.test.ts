import assert from 'node:assert/strict';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, test, type TestContext } from 'node:test';
import { entryOf } from '#core/manifest/pathState.ts';
import type { Entry, LinkEntry } from '#core/manifest/entry.ts';
import type { Replica } from '#sync/scan/replica.ts';
import { download, type Incoming } from '../../../../../agent/directory/jobs/download.ts';
import { ApplyPlace } from '../../../../support/unit/applyPlace.ts';
import { replicaOf } from '../../../../support/unit/replicaOf.ts';

type Make = (here: Entry) => Incoming;
const link = (here: Entry): LinkEntry => {
  const { owner, group, uid, gid } = here;
  return { type: 'link', target: 'elsewhere', owner, group, uid, gid };
};
const deliver = { kind: 'deliver', replacesSpecial: false, drift: false, reason: 'planned' } as const;

/** Decisions about a file that need no content from Main. */
const PLANS: Readonly<Record<string, Make>> = {
  'its mode changes': (here) => ({
    ...deliver,
    entry: here.type === 'file' ? { ...here, mode: 0o600 } : here,
    expect: here,
    content: false,
  }),
  'it is replaced': (here) => ({ ...deliver, entry: link(here), expect: here, content: true }),
  'it is removed': (here) => ({ kind: 'remove', expect: here, reason: 'planned' }),
};

async function planned(t: TestContext): Promise<{ place: ApplyPlace; replica: Replica; here: Entry }> {
  const place = new ApplyPlace(t);
  writeFileSync(place.at('file'), 'as planned');
  const replica = await replicaOf(t, place);
  const here = entryOf(replica.get('file'));
  assert.ok(here);
  return { place, replica, here };
}

async function carryOut(place: ApplyPlace, replica: Replica, item: Incoming): Promise<string | undefined> {
  const { results } = await download({
    directory: 'files',
    items: new Map([['file', item]]),
    session: { get: () => assert.fail('there is nothing to fetch'), mainCapabilities: new Set() },
    applier: place.applier,
    replica,
    record: () => undefined,
    whole: false,
  });
  return results.get('file')?.result;
}

void test('nothing is made visible once the directory is being closed', async (t) => {
  const { place, replica, here } = await planned(t);
  await place.applier.close();
  const remove = { kind: 'remove', expect: here, reason: 'planned' } as const;
  await assert.rejects(carryOut(place, replica, remove), /the directory is being closed/);
  assert.equal(place.read('file'), 'as planned');
});

void describe('A plan is carried out for the version that it was made for, and for no other', () => {
  for (const [what, make] of Object.entries(PLANS)) {
    void test(`${what}: as planned`, async (t) => {
      const { place, replica, here } = await planned(t);
      assert.equal(await carryOut(place, replica, make(here)), 'done');
    });

    void test(`${what}: not when a newer version has been read since then`, async (t) => {
      const { place, replica, here } = await planned(t);
      writeFileSync(place.at('file'), 'newer than the plan');
      await replica.recheck(['file']);
      await replica.whenQuiet(2_000);
      assert.equal(await carryOut(place, replica, make(here)), 'stale');
      assert.equal(place.read('file'), 'newer than the plan');
      assert.deepEqual(place.trash(), []);
    });

    void test(`${what}: not when it became something else`, async (t) => {
      const { place, replica, here } = await planned(t);
      rmSync(place.at('file'));
      mkdirSync(place.at('file'));
      await replica.recheck(['file']);
      assert.equal(await carryOut(place, replica, make(here)), 'stale');
      assert.equal(place.stamp('file'), '', 'the folder stays');
    });
  }

  void test('what does not travel is replaced, but not a file that took its place', async (t) => {
    const { place, replica, here } = await planned(t);
    const item: Incoming = {
      ...deliver,
      entry: link(here),
      expect: undefined,
      replacesSpecial: true,
      content: true,
    };
    assert.equal(await carryOut(place, replica, item), 'stale');
    assert.equal(place.read('file'), 'as planned');
    rmSync(place.at('file'));
    symlinkSync('/outside', place.at('file'));
    await replica.recheck(['file']);
    assert.equal(replica.get('file')?.kind, 'special');
    assert.equal(await carryOut(place, replica, item), 'done');
  });
});
