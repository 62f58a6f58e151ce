import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import type { ChangeSet, Outcome, Step } from '#core/changeSet.ts';
import { TrashList } from '#sync/apply/trashIndex.ts';
import { Folder } from '#host/fs/folder.ts';
import { ApplyPlace, fileEntry, putFile, stage } from '../../../support/unit/applyPlace.ts';

const ID = '20270101T000000000Z-0';

/** A change set that is journalled, with everything prepared and nothing of it done yet: as a crash leaves it. */
class CutOff {
  readonly place: ApplyPlace;
  readonly changeSet: ChangeSet;

  constructor(
    t: TestContext,
    before: (place: ApplyPlace) => void,
    steps: (place: ApplyPlace, from: CutOff) => Step[],
  ) {
    this.place = new ApplyPlace(t);
    before(this.place);
    for (const folder of ['stage', `trash/${ID}`]) mkdirSync(this.area(folder), { recursive: true });
    this.changeSet = { id: ID, directory: 'files', steps: steps(this.place, this) };
    const trash = Folder.openRoot(this.area(`trash/${ID}`));
    TrashList.write(trash, this.changeSet, Date.now());
    trash.close();
    this.place.journal.begin(this.changeSet);
  }

  area(inside: string): string {
    return this.place.at(`.xivo-xds-sync/${inside}`);
  }

  /** Prepares a put, with its content staged under a name that outlives the staging. */
  put(name: string, content: string, expect?: string): Step {
    using staging = this.place.applier.begin(0);
    const step = putFile(staging, name, content, expect);
    assert.ok(step.kind === 'put');
    const kept = `${ID}.${name}`;
    renameSync(this.area(`stage/${step.staged.name}`), this.area(`stage/${kept}`));
    return { ...step, staged: { ...step.staged, name: kept } };
  }

  /** Carries out a rename between the area and the directory, as the commit would have. */
  move(from: string, to: string): void {
    const path = (name: string): string =>
      /^(stage|trash)\//.test(name) ? this.area(name) : this.place.at(name);
    renameSync(path(from), path(to));
  }

  exchange(name: string): void {
    const spare = `${this.place.at(name)}.spare`;
    renameSync(this.place.at(name), spare);
    this.move(`stage/${ID}.${name}`, name);
    renameSync(spare, this.area(`stage/${ID}.${name}`));
  }

  async recover(): Promise<string[]> {
    const recorded: Outcome[] = [];
    await this.place.again().recover((_, outcomes) => recorded.push(...outcomes));
    assert.deepEqual(readdirSync(this.area('stage')), [], 'something is left in the staging area');
    assert.deepEqual(this.place.journal.open('files'), []);
    return recorded.map(({ step, result }) => `${step.kind} ${step.path} ${result}`);
  }
}

const old = (place: ApplyPlace): void => writeFileSync(place.at('a'), 'old');

void test('a replacement of which nothing was done yet is carried out', async (t) => {
  const cut = new CutOff(t, old, (place, from) => [from.put('a', 'new', place.stamp('a'))]);
  assert.deepEqual(await cut.recover(), ['put a done']);
  assert.equal(cut.place.read('a'), 'new');
  assert.deepEqual(cut.place.trash(), [['a', 'old']]);
});

void test('a replacement whose exchange was done moves what was there to the trash', async (t) => {
  const cut = new CutOff(t, old, (place, from) => [from.put('a', 'new', place.stamp('a'))]);
  cut.exchange('a');
  assert.deepEqual(await cut.recover(), ['put a done']);
  assert.equal(cut.place.read('a'), 'new');
  assert.deepEqual(cut.place.trash(), [['a', 'old']]);
});

void test('a replacement that was done is recorded', async (t) => {
  const cut = new CutOff(t, old, (place, from) => [from.put('a', 'new', place.stamp('a'))]);
  cut.exchange('a');
  cut.move(`stage/${ID}.a`, `trash/${ID}/0`);
  assert.deepEqual(await cut.recover(), ['put a done']);
  assert.deepEqual(cut.place.trash(), [['a', 'old']]);
});

void test('a replacement whose second rename reached the disk before its first is carried out', async (t) => {
  const cut = new CutOff(t, old, (place, from) => [from.put('a', 'new', place.stamp('a'))]);
  cut.move(`stage/${ID}.a`, `trash/${ID}/0`);
  assert.deepEqual(await cut.recover(), ['put a done']);
  assert.equal(cut.place.read('a'), 'new');
  assert.deepEqual(cut.place.trash(), [['a', 'old']]);
});

void test('a replacement is not carried out any more when another program wrote there since', async (t) => {
  const cut = new CutOff(t, old, (place, from) => [from.put('a', 'new', place.stamp('a'))]);
  writeFileSync(cut.place.at('a'), 'edited since');
  assert.deepEqual(await cut.recover(), ['put a stale']);
  assert.equal(cut.place.read('a'), 'edited since');
});

void test('a new file is put in place, or recorded where it is already, and leaves alone what came in its way', async (t) => {
  const cut = new CutOff(
    t,
    () => undefined,
    (_place, from) => [from.put('a', 'a'), from.put('b', 'b'), from.put('c', 'c')],
  );
  cut.move(`stage/${ID}.b`, 'b');
  writeFileSync(cut.place.at('c'), 'someone was quicker');
  assert.deepEqual((await cut.recover()).sort(), ['put a done', 'put b done', 'put c stale']);
  assert.deepEqual(
    ['a', 'b', 'c'].map((name) => cut.place.read(name)),
    ['a', 'b', 'someone was quicker'],
  );
});

void test('another file with the inode number of what was placed does not pass for it', async (t) => {
  const cut = new CutOff(
    t,
    () => undefined,
    (_place, from) => [from.put('a', 'placed')],
  );
  cut.move(`stage/${ID}.a`, 'a');
  writeFileSync(cut.place.at('a'), 'written since, into the same inode');
  assert.deepEqual(await cut.recover(), ['put a stale']);
});

void test('a removal is carried out, or recorded, unless something new stands there', async (t) => {
  const remove = (place: ApplyPlace, path: string): Step => ({
    kind: 'remove',
    path,
    entry: fileEntry('old'),
    expect: place.stamp(path),
    reason: 'removed on Main',
  });
  const cut = new CutOff(
    t,
    (place) => ['a', 'b', 'c'].forEach((name) => writeFileSync(place.at(name), 'old')),
    (place) => ['a', 'b', 'c'].map((name) => remove(place, name)),
  );
  cut.move('b', `trash/${ID}/1`);
  cut.move('c', `trash/${ID}/2`);
  writeFileSync(cut.place.at('c'), 'new');
  assert.deepEqual((await cut.recover()).sort(), ['remove a done', 'remove b done', 'remove c stale']);
  assert.equal(existsSync(cut.place.at('a')), false);
  assert.equal(cut.place.read('c'), 'new');
  assert.equal(cut.place.trash().length, 3);
});

void test('the loser of a conflict is kept', async (t) => {
  const cut = new CutOff(
    t,
    () => undefined,
    (_place, from) => {
      const put = from.put('a', 'loser');
      assert.ok(put.kind === 'put');
      return [{ kind: 'keep', path: 'a', entry: put.entry, staged: put.staged, reason: '' }];
    },
  );
  assert.deepEqual(await cut.recover(), ['keep a done']);
  assert.deepEqual(cut.place.trash(), [['a', 'loser']]);
});

void test('what a change set had displaced reaches the trash even when the journal is lost', async (t) => {
  const cut = new CutOff(t, old, (place, from) => [
    from.put('a', 'new', place.stamp('a')),
    from.put('b', 'b'),
  ]);
  cut.exchange('a');
  cut.place.journal.end(ID, () => undefined);
  assert.deepEqual(await cut.recover(), []);
  assert.equal(cut.place.read('a'), 'new');
  assert.equal(existsSync(cut.place.at('b')), false);
  assert.deepEqual(cut.place.trash(), [['a', 'old']]);
});

void test('what was only staged is removed at the next start, with a trash that stayed empty', async (t) => {
  const cut = new CutOff(t, old, (place, from) => [from.put('a', 'new', place.stamp('a'))]);
  cut.place.journal.end(ID, () => undefined);
  await cut.recover();
  assert.equal(cut.place.read('a'), 'old');
  assert.deepEqual(readdirSync(cut.area('trash')), []);
});

void test('a change set that can not be finished does not keep the others from it', async (t) => {
  const cut = new CutOff(t, old, (place, from) => [from.put('a', 'new', place.stamp('a'))]);
  cut.place.journal.begin({ ...cut.changeSet, id: '20260101T000000000Z-0', steps: [] });
  const recorded: string[] = [];
  const record = (changeSet: ChangeSet): void => {
    if (changeSet.id !== ID) throw new Error('the state is full');
    recorded.push(changeSet.id);
  };
  const applier = cut.place.again();
  await assert.rejects(applier.recover(record), /the state is full/);
  assert.deepEqual(recorded, [ID]);
  assert.equal(cut.place.journal.open('files').length, 1);
});

void test('a dispose leaves alone what took the name of something staged', (t) => {
  const place = new ApplyPlace(t);
  {
    using staging = place.applier.begin(0);
    const staged = stage(staging, 'staged');
    const name = place.at(`.xivo-xds-sync/stage/${staged.name}`);
    renameSync(name, `${name}.kept`);
    writeFileSync(name, "someone's content");
    unlinkSync(`${name}.kept`);
  }
  assert.equal(readdirSync(place.at('.xivo-xds-sync/stage')).length, 1);
});
