import assert from 'node:assert/strict';
import { existsSync, linkSync, lstatSync, mkdirSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import type { Outcome, Step } from '#core/changeSet.ts';
import { Folder } from '#host/fs/folder.ts';
import { ApplyPlace, fileEntry, folderEntry } from '../../../support/unit/applyPlace.ts';

function placeWith(t: TestContext): ApplyPlace {
  const place = new ApplyPlace(t);
  writeFileSync(place.at('old'), 'content');
  utimesSync(place.at('old'), 1_700_000_000, 1_700_000_000);
  return place;
}

function move(place: ApplyPlace, path = 'new'): Step {
  return {
    kind: 'move',
    path,
    from: 'old',
    entry: fileEntry('content'),
    expect: place.stamp('old'),
    reason: '',
  };
}

/** As a crash leaves it: the set is journalled, and something of it may be done. */
async function recover(place: ApplyPlace, step: Step): Promise<string[]> {
  const recorded: Outcome[] = [];
  await place.again().recover((_changeSet, outcomes) => void recorded.push(...outcomes));
  assert.deepEqual(place.journal.open('files'), []);
  for (const { result, stamp } of recorded)
    if (result === 'done') assert.equal(stamp, place.stamp(step.path));
  return recorded.map(({ result }) => result);
}

function cutOff(place: ApplyPlace): Step {
  const step = move(place);
  place.journal.begin({ id: '20270101T000000000Z-0', directory: 'files', steps: [step] });
  return step;
}

void test('a move renames the file itself into a folder of the same set, and fills no trash', async (t) => {
  const place = placeWith(t);
  const { ino } = lstatSync(place.at('old'));
  const outcomes = await place.apply((staging) => [
    move(place, 'folder/new'),
    {
      kind: 'put',
      path: 'folder',
      entry: folderEntry(),
      expect: undefined,
      staged: staging.bare(folderEntry()),
      reason: '',
    },
  ]);
  assert.deepEqual(
    outcomes.map(({ result }) => result),
    ['done', 'done'],
  );
  assert.equal(lstatSync(place.at('folder/new')).ino, ino);
  assert.equal(outcomes[0]?.stamp, place.stamp('folder/new'));
  assert.ok(!existsSync(place.at('old')));
  assert.deepEqual(place.trash(), []);
});

void test('a file that changed since is not moved', async (t) => {
  const place = placeWith(t);
  const step = move(place);
  writeFileSync(place.at('old'), 'changed');
  const [outcome] = await place.apply(() => [step]);
  assert.equal(outcome?.result, 'stale');
  assert.equal(place.read('old'), 'changed');
  assert.equal(place.read('new'), undefined);
});

void test('a file that changes in the moment in which it is moved gets its name back', async (t) => {
  const place = placeWith(t);
  const step = move(place);
  const changing = function (this: Folder, ...how: Parameters<Folder['rename']>): void {
    writeFileSync(place.at('old'), 'changed in between');
    this.rename(...how);
  };
  t.mock.method(Folder.prototype, 'rename', changing, { times: 1 });
  const [outcome] = await place.apply(() => [step]);
  assert.equal(outcome?.result, 'stale');
  assert.equal(place.read('old'), 'changed in between');
  assert.equal(place.read('new'), undefined);
});

void test('what appeared under the new name stays', async (t) => {
  const place = placeWith(t);
  writeFileSync(place.at('new'), 'of another program');
  const [outcome] = await place.apply(() => [move(place)]);
  assert.equal(outcome?.result, 'stale');
  assert.equal(place.read('old'), 'content');
  assert.equal(place.read('new'), 'of another program');
});

void test('cut off before the rename, it is carried out at the next start', async (t) => {
  const place = placeWith(t);
  const step = cutOff(place);
  assert.deepEqual(await recover(place, step), ['done']);
  assert.equal(place.read('new'), 'content');
  assert.equal(place.read('old'), undefined);
});

void test('cut off after the rename, it is written down at the next start', async (t) => {
  const place = placeWith(t);
  const step = cutOff(place);
  renameSync(place.at('old'), place.at('new'));
  assert.deepEqual(await recover(place, step), ['done']);
  assert.equal(place.read('new'), 'content');
});

void test('cut off after the rename, with the old name taken again: that one stays', async (t) => {
  const place = placeWith(t);
  const step = cutOff(place);
  renameSync(place.at('old'), place.at('new'));
  writeFileSync(place.at('old'), 'recorded since');
  assert.deepEqual(await recover(place, step), ['done']);
  assert.equal(place.read('new'), 'content');
  assert.equal(place.read('old'), 'recorded since');
});

void test('cut off, and another file has the new name, or the same one has both: a new plan is due', async (t) => {
  for (const disturb of [
    (place: ApplyPlace) => writeFileSync(place.at('new'), 'of another program'),
    (place: ApplyPlace) => linkSync(place.at('old'), place.at('new')),
    (place: ApplyPlace) => mkdirSync(place.at('new')),
  ]) {
    const place = placeWith(t);
    const step = cutOff(place);
    disturb(place);
    assert.deepEqual(await recover(place, step), ['stale']);
    assert.equal(place.read('old'), 'content');
  }
});
