import assert from 'node:assert/strict';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { test, type TestContext } from 'node:test';
import { Owners } from '#host/fs/owners.ts';
import { atOnce, type Steps } from '#core/steps.ts';
import { purgeTrash } from '#sync/trash/purge.ts';
import { hashInTrash, listTrash, restoreFromTrash, sharesInTrash } from '#sync/trash/trash.ts';
import { ApplyPlace, fileEntry, linkEntry } from '../../../support/unit/applyPlace.ts';
import { handlesIn } from '../../../support/unit/handlesIn.ts';
import { replicaOf } from '../../../support/unit/replicaOf.ts';

async function removed(t: TestContext, content = 'precious'): Promise<ApplyPlace> {
  const place = new ApplyPlace(t);
  mkdirSync(place.at('folder'));
  writeFileSync(place.at('folder/a'), content);
  symlinkSync('a', place.at('folder/link'));
  await place.apply(() => [
    {
      kind: 'remove',
      path: 'folder/a',
      entry: fileEntry(content),
      expect: place.stamp('folder/a'),
      reason: 'removed on Main',
    },
    {
      kind: 'remove',
      path: 'folder/link',
      entry: linkEntry('a'),
      expect: place.stamp('folder/link'),
      reason: 'removed on Main',
    },
  ]);
  return place;
}

/** Purges, and adds what was logged as an error to `reported`. */
function purge(place: ApplyPlace, keep: number, now: number, logged: unknown[] = []): number {
  const log = { info: () => undefined, error: (...what: unknown[]) => void logged.push(...what) };
  return atOnce(purgeTrash({ root: place.root, keep, now, log })).changeSets;
}

void test('the trash lists everything in it: what it was, where, when, why', async (t) => {
  const place = await removed(t);
  const items = atOnce(listTrash('files', place.root)).items;
  assert.deepEqual(
    items.map(({ path, type, bytes, reason }) => ({ path, type, bytes, reason })),
    [
      { path: 'folder/a', type: 'file', bytes: 8, reason: 'removed on Main' },
      { path: 'folder/link', type: 'link', bytes: 0, reason: 'removed on Main' },
    ],
  );
  for (const { at } of items) assert.ok(Math.abs(Date.now() - at) < 60_000);
});

void test('a list that is damaged hides nothing', async (t) => {
  const place = await removed(t);
  const [set = ''] = readdirSync(place.at('.xivo-xds-sync/trash'));
  writeFileSync(place.at(`.xivo-xds-sync/trash/${set}/list.json`), '{"half');
  assert.deepEqual(
    atOnce(listTrash('files', place.root))
      .items.map(({ path, type }) => `${path} ${type}`)
      .sort(),
    ['0 file', '1 link'],
  );
});

void test('what has been in the trash for long enough is removed for good, and nothing younger', async (t) => {
  const place = await removed(t);
  assert.equal(purge(place, 60_000, Date.now()), 0);
  assert.equal(atOnce(listTrash('files', place.root)).items.length, 2);
  assert.equal(purge(place, 60_000, Date.now() + 120_000), 1);
  assert.deepEqual(readdirSync(place.at('.xivo-xds-sync/trash')), []);
});

void test('a purge returns the time of the oldest item that it left', async (t) => {
  const place = await removed(t);
  const at = atOnce(listTrash('files', place.root)).items[0]?.at ?? 0;
  const log = { info: () => undefined, error: () => undefined };
  const now = at + 1_000;
  assert.equal(atOnce(purgeTrash({ root: place.root, keep: 60_000, now, log })).oldest, at);
  writeFileSync(place.at('.xivo-xds-sync/trash/0-no-folder'), '');
  assert.equal(
    atOnce(purgeTrash({ root: place.root, keep: 60_000, now, log })).oldest,
    0,
    'not all could be read',
  );
  rmSync(place.at('.xivo-xds-sync/trash'), { recursive: true });
  assert.equal(
    atOnce(purgeTrash({ root: place.root, keep: 60_000, now, log })).oldest,
    now,
    'what comes now is younger',
  );
});

void test('a folder in the trash is removed with all that is in it, and links in it are not followed', async (t) => {
  const place = new ApplyPlace(t);
  mkdirSync(place.at('elsewhere'));
  writeFileSync(place.at('elsewhere/a'), 'a');
  mkdirSync(place.at('.xivo-xds-sync/trash/old/0/deep'), { recursive: true });
  symlinkSync('../../../../../elsewhere', place.at('.xivo-xds-sync/trash/old/0/deep/link'));
  assert.equal(purge(place, 0, Date.now() + 60_000), 1);
  assert.equal(place.read('elsewhere/a'), 'a');
});

void test('what can not be removed is reported, and keeps nothing else in the trash', async (t) => {
  const place = await removed(t);
  writeFileSync(place.at('.xivo-xds-sync/trash/0-no-folder'), '');
  const logged: unknown[] = [];
  assert.equal(purge(place, 60_000, Date.now() + 120_000, logged), 1);
  assert.deepEqual(readdirSync(place.at('.xivo-xds-sync/trash')), ['0-no-folder']);
  const folder = place.at('.xivo-xds-sync/trash/0-no-folder');
  assert.deepEqual(logged, ['old trash could not be removed', { folder, reason: 'ENOTDIR' }]);
});

void test('a trash that can not be opened is reported, and ends nothing', (t) => {
  const place = new ApplyPlace(t);
  symlinkSync('elsewhere', place.at('.xivo-xds-sync'));
  const logged: unknown[] = [];
  assert.equal(purge(place, 0, Date.now(), logged), 0);
  assert.match(JSON.stringify(logged), /is not the folder that this program needs there/);
});

void test('an item comes back with its content and metadata, and stays in the trash', async (t) => {
  const place = await removed(t);
  const [item] = atOnce(listTrash('files', place.root)).items;
  assert.ok(item);
  const replica = await replicaOf(t, place);
  const { mtimeNs } = lstatSync(place.at(`.xivo-xds-sync/trash/${item.id}`), { bigint: true });
  const outcomes = await restoreFromTrash(item, 'folder/a', {
    applier: place.applier,
    replica,
    owners: new Owners(),
    record: () => undefined,
  });
  assert.deepEqual(
    outcomes.map(({ result }) => result),
    ['done'],
  );
  assert.equal(place.read('folder/a'), 'precious');
  assert.equal(lstatSync(place.at('folder/a'), { bigint: true }).mtimeNs, mtimeNs);
  assert.ok(atOnce(listTrash('files', place.root)).items.some(({ id }) => id === item.id));
});

void test('what stands in the way of an item that comes back goes to the trash in its turn', async (t) => {
  const place = await removed(t);
  const [item] = atOnce(listTrash('files', place.root)).items;
  assert.ok(item);
  writeFileSync(place.at('folder/a'), 'in the way');
  const replica = await replicaOf(t, place);
  const how = { applier: place.applier, replica, owners: new Owners(), record: () => undefined };
  await restoreFromTrash(item, 'folder/a', how);
  assert.equal(place.read('folder/a'), 'precious');
  assert.ok(place.trash().some(([path, content]) => path === 'folder/a' && content === 'in the way'));
  assert.equal(existsSync(place.at('folder/link')), false);
});

void test('an item is not restored any more once the directory is being closed', async (t) => {
  const place = await removed(t);
  const [item] = atOnce(listTrash('files', place.root)).items;
  assert.ok(item);
  const replica = await replicaOf(t, place);
  const how = { applier: place.applier, replica, owners: new Owners(), record: () => undefined };
  await place.applier.close();
  await assert.rejects(restoreFromTrash(item, 'folder/a', how), /the directory is being closed/);
  assert.equal(existsSync(place.at('folder/a')), false);
});

void test('a large item is not hashed any more once that is ended', async (t) => {
  const place = await removed(t, 'x'.repeat(300_000));
  const [item] = atOnce(listTrash('files', place.root)).items;
  assert.ok(item);
  assert.equal(
    await hashInTrash(place.root, item.id, new AbortController().signal),
    fileEntry('x'.repeat(300_000)).hash,
  );
  await assert.rejects(hashInTrash(place.root, item.id, AbortSignal.abort(new Error('ended'))), /ended/);
});

void test('work with the trash pauses at each item, and what it has open is closed when it ends there', async (t) => {
  const ITEMS = 5;
  const place = await removed(t);
  const [set = ''] = readdirSync(place.at('.xivo-xds-sync/trash'));
  mkdirSync(place.at(`.xivo-xds-sync/trash/${set}/9`));
  for (let i = 0; i < ITEMS; i++) writeFileSync(place.at(`.xivo-xds-sync/trash/${set}/9/${i}`), 'below');
  const list = place.at(`.xivo-xds-sync/trash/${set}/list.json`);
  writeFileSync(list, JSON.stringify({ ...JSON.parse(readFileSync(list, 'utf8')), mds: 'mds1' }));
  const log = { info: () => undefined, error: () => undefined };
  const open = (): number => handlesIn(place.root).length;
  const before = open();
  const works: [() => Steps<unknown>, least: number][] = [
    [() => listTrash('files', place.root), 4],
    [() => sharesInTrash(place.root, () => undefined), 4 + ITEMS],
    [() => purgeTrash({ root: place.root, keep: 0, now: Date.now() + 60_000, log }), 3 + ITEMS],
  ];
  for (const [work, least] of works) {
    const cut = work();
    for (let i = 0; i < 3; i++) assert.equal(cut.next().done, false);
    assert.ok(open() > before);
    cut.return(undefined);
    assert.equal(open(), before);
    assert.ok([...work()].length >= least);
  }
  assert.deepEqual(readdirSync(place.at('.xivo-xds-sync/trash')), []);
});
