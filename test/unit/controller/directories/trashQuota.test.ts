import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { TrashQuota } from '../../../../controller/directories/trashQuota.ts';
import { memoryFolder } from '../../../support/unit/memoryFolder.ts';

const BLOCK = 4096;
/** A set with one item of a block: the folder, the list and the item. */
const ONE = 3 * BLOCK;

type Made = {
  readonly quota: TrashQuota;
  readonly add: (set: string, mds?: string) => void;
  readonly logged: unknown[];
};

function make(t: TestContext): Made {
  const root = memoryFolder();
  t.after(() => rmSync(root, { recursive: true }));
  const logged: unknown[] = [];
  const add = (set: string, mds = 'mds1'): void => {
    const folder = path.join(root, '.xivo-xds-sync/trash', set);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const list = { changeSet: set, directory: 'recordings', at: 1, mds, items: {} };
    writeFileSync(path.join(folder, 'list.json'), JSON.stringify(list));
    writeFileSync(path.join(folder, '0'), 'item');
  };
  return { quota: new TrashQuota(root, { error: (...what) => void logged.push(what) }), add, logged };
}

void test('what an MDS has filled of the trash is counted once, and what is promised is added', async (t) => {
  const { quota, add, logged } = make(t);
  add('first');
  add('other', 'mds2');
  await quota.ready();
  assert.deepEqual([quota.of('mds1'), quota.of('mds2'), quota.of('mds3')], [ONE, ONE, 0]);
  const cancel = quota.promise('mds1', 5);
  assert.equal(quota.of('mds1'), ONE + 5);
  cancel();
  add('second');
  await quota.ready();
  assert.equal(quota.of('mds1'), ONE, 'it is not counted again for each question');
  quota.forget();
  assert.equal(quota.of('mds1'), ONE, 'until it is counted again, what was known is');
  await quota.ready();
  assert.equal(quota.of('mds1'), 2 * ONE);
  assert.deepEqual(logged, []);
});

void test('what is displaced while the trash is counted is not missed', async (t) => {
  const { quota, add } = make(t);
  // Far more than one slice takes.
  for (let i = 0; i < 1_000; i++) add(`2-${i}`, 'mds2');
  const ready = quota.ready();
  const share = { mds: 'mds1', bytes: ONE };
  // Its name was listed already, or not: here it is not on the disk at all.
  quota.displaced('1-new', () => share);
  await ready;
  assert.equal(quota.of('mds1'), ONE);
  quota.displaced('2-new', () => share);
  assert.equal(quota.of('mds1'), 2 * ONE);
  quota.displaced('3-nothing', () => undefined);
  assert.equal(quota.of('mds1'), 2 * ONE);
});

void test('a count during which the trash changed otherwise is repeated', async (t) => {
  const { quota, add } = make(t);
  for (let i = 0; i < 1_000; i++) add(`2-${i}`, 'mds2');
  const ready = quota.ready();
  add('1-new');
  quota.forget();
  await ready;
  assert.equal(quota.of('mds1'), ONE);
});

void test('a trash that can not be measured is counted again', async (t) => {
  const { quota, add } = make(t);
  await quota.ready();
  add('first');
  quota.displaced('first', () => {
    throw new Error('unreadable');
  });
  await quota.ready();
  assert.equal(quota.of('mds1'), ONE);
});
