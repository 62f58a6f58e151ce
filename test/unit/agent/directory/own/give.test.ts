import assert from 'node:assert/strict';
import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { describe, it, type TestContext } from 'node:test';
import type { Offer } from '#protocol/messages/common.ts';
import { type Given, giveToMain } from '../../../../../agent/directory/own/give.ts';
import { AgentPlace, MainPlayed } from '../../../../support/unit/agentPlace.ts';
import { fileEntry, folderEntry } from '../../../../support/unit/applyPlace.ts';

async function make(
  t: TestContext,
  files: Readonly<Record<string, string>>,
): Promise<{ place: AgentPlace; main: MainPlayed; give: (...files: Given[]) => Promise<void> }> {
  const place = await AgentPlace.make(t, files);
  const main = new MainPlayed(t);
  const { mainManifest, owners, sync } = place;
  return {
    place,
    main,
    give: (...given) =>
      giveToMain(given, {
        directory: 'files',
        replica: sync.replica,
        mainManifest,
        owners,
        session: main.session,
      }),
  };
}

/** A file is removed here, as Main's removal does it. @returns its id in the trash */
async function trashed(place: AgentPlace, name: string): Promise<string> {
  using staging = place.sync.applier.begin(0);
  const expect = place.sync.replica.stampAt(name);
  assert.ok(expect !== undefined);
  const step = { kind: 'remove', path: name, entry: place.entry(name), expect, reason: 'removed' } as const;
  place.sync.adopt((await staging.commit([step], () => undefined)).outcomes);
  return `${staging.id}/0`;
}

describe('What a person on Main asked an MDS for', () => {
  it('is offered as it is on disk now, in the place of what Main has there', async (t) => {
    const { place, main, give } = await make(t, { 'a.conf': 'scanned', 'new.conf': 'new' });
    const mains = fileEntry('on Main');
    place.mainHas({ 'a.conf': mains });
    place.write('a.conf', 'edited since the scan');
    await give({ path: 'a.conf' }, { path: 'new.conf' });
    const [offers = []] = main.offered as Offer[][];
    assert.deepEqual(
      offers.map((offer) => offer.op === 'put' && [offer.path, offer.expect, offer.conflict]),
      [
        ['a.conf', mains, false],
        ['new.conf', null, false],
      ],
    );
    assert.deepEqual(main.received.map(String), ['edited since the scan', 'new']);
  });

  it('is not read any more once the directory is being closed', async (t) => {
    const { place, main, give } = await make(t, { large: 'x'.repeat(300_000) });
    await place.sync.close();
    await assert.rejects(give({ path: 'large' }), /files is being closed/);
    assert.deepEqual(main.offered, []);
  });

  it('is offered once, where it is a folder that something else asked for lies in', async (t) => {
    const { main, give } = await make(t, { 'dir/a': 'a' });
    await give({ path: 'dir/a' }, { path: 'dir' });
    assert.deepEqual((main.offered[0] ?? []).map(({ path }) => path).toSorted(), ['dir', 'dir/a']);
  });

  it('comes with the folders that Main lacks, as they are here', async (t) => {
    const { place, main, give } = await make(t, { 'there/deep/a': 'a', 'there/deep/b': 'b' });
    place.mainHas({ there: folderEntry() });
    await give({ path: 'there/deep/a' }, { path: 'there/deep/b' });
    assert.deepEqual(
      main.offered[0]?.map(({ path }) => path),
      ['there/deep', 'there/deep/a', 'there/deep/b'],
    );
    const [folder] = (main.offered[0] ?? []) as Offer[];
    assert.ok(folder?.op === 'put');
    assert.deepEqual(folder.entry, place.entry('there/deep'));
  });

  it('comes from the trash, in folders like the one above it where its own are gone here, too', async (t) => {
    const { place, main, give } = await make(t, { 'gone/deep/a': 'in the trash', kept: 'kept' });
    place.mainHas({ kept: place.entry('kept') });
    const item = await trashed(place, 'gone/deep/a');
    rmSync(place.at('gone'), { recursive: true });
    await place.sync.readAgain();
    await give({ path: 'gone/deep/a', item });
    assert.deepEqual(
      (main.offered[0] as Offer[]).map((offer) => offer.op === 'put' && [offer.path, offer.entry.type]),
      [
        ['gone', 'folder'],
        ['gone/deep', 'folder'],
        ['gone/deep/a', 'file'],
      ],
    );
    assert.deepEqual(main.received.map(String), ['in the trash']);
  });

  it('may be links and folders alone, which bring no content', async (t) => {
    const { place, main, give } = await make(t, { a: 'a' });
    mkdirSync(place.at('folder'));
    symlinkSync('a', place.at('link'));
    await place.sync.readAgain();
    place.mainHas({ a: place.entry('a') });
    await give({ path: 'folder' }, { path: 'link' });
    assert.equal(main.offered[0]?.length, 2);
    assert.deepEqual(main.received, []);
  });
});

describe('A person learns why an MDS gives nothing', () => {
  for (const [what, file, why] of [
    ['an override', 'xds_override_a', /overrides are never synchronised/],
    ['what is not there', 'never', /there is no files\/never on this MDS/],
    ['what is not there, in a folder that is not there', 'no/never', /there is no files\/no\/never/],
  ] as const) {
    it(`for ${what}`, async (t) => {
      const { place, main, give } = await make(t, { a: 'a', xds_override_a: 'own' });
      place.mainHas({});
      await assert.rejects(give({ path: 'a' }, { path: file }), why);
      assert.deepEqual(main.offered, [], 'all or nothing');
    });
  }

  it('for what is not in the trash any more, or can not be synchronised', async (t) => {
    const { place, give } = await make(t, { a: 'a' });
    place.mainHas({});
    await assert.rejects(
      give({ path: 'a', item: '2026-00000001/1' }),
      /2026-00000001\/1 is not in the trash/,
    );
    execFileSync('mkfifo', [place.at('pipe')]);
    await assert.rejects(give({ path: 'pipe' }), /pipe is .*, which can't be synchronised/);
  });

  it('when Main refuses: the first reason, and how many more there are', async (t) => {
    const { place, main, give } = await make(t, { a: 'a', b: 'b', c: 'c' });
    place.mainHas({});
    main.result = ({ path }) =>
      path === 'a' ? { result: 'done' } : { result: 'refused', ...(path === 'b' && { detail: 'no room' }) };
    await assert.rejects(give({ path: 'a' }, { path: 'b' }, { path: 'c' }), {
      message: 'b: no room (and 1 more)',
    });
    await assert.rejects(give({ path: 'c' }), { message: 'c: it changed in this moment: try again' });
  });

  it('when the connection is lost', async (t) => {
    const { place, main, give } = await make(t, { a: 'a' });
    place.mainHas({});
    main.lost = new Error('ECONNRESET');
    await assert.rejects(give({ path: 'a' }), /ECONNRESET/);
  });
});
