import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { test, type TestContext } from 'node:test';
import type { ChangeSet, Outcome, Step } from '#core/changeSet.ts';
import type { Entry } from '#core/manifest/entry.ts';
import { revert } from '#sync/apply/revert.ts';
import type { Staging } from '#sync/apply/staging.ts';
import { ApplyPlace, fileEntry, folderEntry, linkEntry, putFile } from '../../../support/unit/applyPlace.ts';

const before = new Map<string, Entry | undefined>([
  ['changed', fileEntry('changed, the first version', 0o640)],
  ['removed', fileEntry('removed')],
  ['chmod', fileEntry('chmod')],
  ['link', linkEntry('removed')],
  ['folder', folderEntry(0o2775)],
  ['new', undefined],
]);

/** A change set of every kind of step, carried out. */
async function carriedOut(
  t: TestContext,
): Promise<{ place: ApplyPlace; done: [ChangeSet, readonly Outcome[]] }> {
  const place = new ApplyPlace(t);
  for (const [name, entry] of before) {
    if (entry?.type === 'folder') mkdirSync(place.at(name));
    else if (entry?.type === 'link') symlinkSync(entry.target, place.at(name));
    else if (entry !== undefined)
      writeFileSync(place.at(name), name === 'changed' ? 'changed, the first version' : name);
  }
  chmodSync(place.at('chmod'), 0o644);
  utimesSync(place.at('chmod'), 1_700_000_000, 1_700_000_000);
  const set: { changeSet?: ChangeSet } = {};
  const outcomes = await place.apply(
    (staging) => steps(place, staging),
    (changeSet) => (set.changeSet = changeSet),
  );
  assert.deepEqual(new Set(outcomes.map(({ result }) => result)), new Set(['done']));
  assert.ok(set.changeSet);
  return { place, done: [set.changeSet, outcomes] };
}

function steps(place: ApplyPlace, staging: Staging): Step[] {
  const reason = 'changed on Main';
  return [
    putFile(staging, 'changed', 'the second version', place.stamp('changed')),
    putFile(staging, 'new', 'new'),
    { kind: 'remove', path: 'removed', entry: fileEntry('removed'), expect: place.stamp('removed'), reason },
    { kind: 'remove', path: 'link', entry: linkEntry('removed'), expect: place.stamp('link'), reason },
    { kind: 'remove', path: 'folder', entry: folderEntry(), expect: '', reason },
    {
      kind: 'metadata',
      path: 'chmod',
      entry: fileEntry('chmod', 0o600),
      expect: place.stamp('chmod'),
      reason,
    },
  ];
}

function revertIn(
  place: ApplyPlace,
  [changeSet, outcomes]: [ChangeSet, readonly Outcome[]],
): Promise<readonly Outcome[]> {
  return revert(changeSet, outcomes, before, { applier: place.applier, record: () => undefined });
}

void test('everything is as it was before the set, with its metadata, and what the set had brought is in the trash', async (t) => {
  const { place, done } = await carriedOut(t);
  const outcomes = await revertIn(place, done);
  assert.deepEqual(
    outcomes
      .map(({ step, result }) => [step.path, result, step.reason])
      .sort((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1)),
    [...before.keys()].sort().map((path) => [path, 'done', 'taken back: Asterisk refused it']),
  );
  assert.equal(place.read('changed'), 'changed, the first version');
  assert.equal(lstatSync(place.at('changed')).mode & 0o777, 0o640);
  assert.equal(String(lstatSync(place.at('changed'), { bigint: true }).mtimeNs), '1700000000123456789');
  assert.equal(place.read('removed'), 'removed');
  assert.equal(existsSync(place.at('new')), false);
  assert.ok(lstatSync(place.at('link')).isSymbolicLink());
  assert.equal(lstatSync(place.at('folder')).mode & 0o7777, 0o2775);
  assert.equal(lstatSync(place.at('chmod')).mode & 0o777, 0o644);
  const trash = place.trash().map(([, content]) => content);
  assert.ok(trash.includes('the second version') && trash.includes('new'));
  // The first versions stay where they were put: a copy is live.
  assert.ok(trash.includes('changed, the first version'));
});

void test('what was changed since is left alone, and the rest goes back', async (t) => {
  const { place, done } = await carriedOut(t);
  writeFileSync(place.at('changed'), 'edited since');
  writeFileSync(place.at('removed'), 'written again');
  writeFileSync(place.at('new'), 'new, and edited');
  const outcomes = await revertIn(place, done);
  const stale = outcomes.flatMap(({ step, result }) => (result === 'stale' ? [step.path] : []));
  assert.deepEqual(stale.sort(), ['changed', 'new', 'removed']);
  assert.deepEqual(
    ['changed', 'removed', 'new'].map((name) => place.read(name)),
    ['edited since', 'written again', 'new, and edited'],
  );
  assert.ok(lstatSync(place.at('link')).isSymbolicLink());
});

void test('a file whose first version is gone from the trash, or is damaged there, stays as the set left it', async (t) => {
  for (const spoil of [
    (trash: string) => rmSync(trash),
    (trash: string) => writeFileSync(trash, 'changed, the wrong version'),
  ]) {
    const { place, done } = await carriedOut(t);
    const [changeSet] = done;
    spoil(place.at(`.xivo-xds-sync/trash/${changeSet.id}/0`));
    const outcomes = await revertIn(place, done);
    assert.ok(!outcomes.some(({ step }) => step.path === 'changed'));
    assert.equal(place.read('changed'), 'the second version');
    assert.equal(place.read('removed'), 'removed');
    assert.deepEqual(readdirSync(place.at('.xivo-xds-sync/stage')), []);
  }
});

void test('what the set did not do is not taken back', async (t) => {
  const { place, done } = await carriedOut(t);
  const [changeSet, outcomes] = done;
  const none = outcomes.map((outcome) => ({ ...outcome, result: 'stale' as const }));
  assert.deepEqual(await revertIn(place, [changeSet, none]), []);
  assert.equal(place.read('changed'), 'the second version');
});
