import assert from 'node:assert/strict';
import test from 'node:test';
import type { Entry } from '#core/manifest/entry.ts';
import { file, folder, kindsOf, planOf } from '../../../support/unit/planCase.ts';

function files(count: number, inside = ''): Record<string, Entry> {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`${inside}f${i}`, file(`v${i}`)]));
}

void test('a pass that would remove more than 25 % and more than 10 files is held, and says so', () => {
  const made = planOf({ mds: files(11), ledger: files(11), budget: { agreedFiles: 43 } });
  assert.equal(made.decisions.size, 0);
  assert.equal(made.heldPaths.length, 11);
  assert.match(made.held ?? '', /11 of 43 files/);
});

void test('up to 10 files, or up to 25 %, are removed without a question', () => {
  assert.equal(planOf({ mds: files(10), ledger: files(10), budget: { agreedFiles: 10 } }).held, undefined);
  assert.equal(planOf({ mds: files(11), ledger: files(11), budget: { agreedFiles: 44 } }).held, undefined);
});

void test('a hold does not delay other changes', () => {
  const given = { main: { new: file('n') }, mds: files(11), ledger: files(11), budget: { agreedFiles: 11 } };
  assert.deepEqual(kindsOf(given), { new: 'deliver' });
});

void test('a confirmed removal happens', () => {
  const made = planOf({ mds: files(11), ledger: files(11), budget: { agreedFiles: 11, confirmed: true } });
  assert.equal(made.held, undefined);
  assert.equal(made.decisions.size, 11);
});

void test('a mass removal does not pass a few files at a time: recent removals count, too', () => {
  const made = planOf({ mds: files(2), ledger: files(2), budget: { agreedFiles: 20, removedLately: 9 } });
  assert.deepEqual(made.heldPaths, ['f0', 'f1']);
});

void test('what is left of a removal that is on hold waits, too, until a person says so or nothing is left', () => {
  const budget = { agreedFiles: 20, standing: true };
  const made = planOf({ mds: files(2), ledger: files(2), budget });
  assert.deepEqual(made.heldPaths, ['f0', 'f1']);
  assert.match(made.held ?? '', /2 of 20 files would be removed .*on hold/);
  assert.equal(
    planOf({ mds: files(2), ledger: files(2), budget: { ...budget, confirmed: true } }).held,
    undefined,
  );
  assert.equal(planOf({ main: files(2), mds: files(2), ledger: files(2), budget }).held, undefined);
});

void test('empty folders are no files', () => {
  const folders = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`d${i}`, folder]));
  assert.equal(planOf({ mds: folders, ledger: folders }).held, undefined);
});

void test('removals on Main count like those on the MDS', () => {
  const given = {
    direction: 'both',
    deletions: 'both',
    main: files(11),
    ledger: files(11),
    budget: { agreedFiles: 11 },
  } as const;
  assert.equal(planOf(given).heldPaths.length, 11);
});

void test('a folder of many files that becomes a file counts as their removal, on either side', () => {
  const many = files(11, 'a/');
  const budget = { agreedFiles: 11 };
  const delivered = planOf({ main: { a: file('n') }, mds: many, ledger: many, budget });
  assert.deepEqual(delivered.heldPaths, ['a']);
  assert.equal(delivered.decisions.size, 0);
  const uploaded = planOf({
    direction: 'both',
    deletions: 'both',
    main: many,
    mds: { a: file('n') },
    ledger: many,
    budget,
  });
  assert.deepEqual(uploaded.heldPaths, ['a']);
  const few = files(3, 'a/');
  assert.deepEqual(kindsOf({ main: { a: file('n') }, mds: few, ledger: few, budget: { agreedFiles: 3 } }), {
    a: 'deliver',
  });
});

void test('where a state is not the one that was known nothing is removed before a person confirms, and the rest continues', () => {
  const given = { main: { new: file('n') }, mds: { f: file('v1') }, ledger: { f: file('v1') } };
  const made = planOf({ ...given, budget: { agreedFiles: 100, additive: 'Main lost its state' } });
  assert.deepEqual([...made.decisions.keys()], ['new']);
  assert.deepEqual(made.heldPaths, ['f']);
  assert.equal(made.held, 'Main lost its state');
  assert.deepEqual(kindsOf({ ...given, budget: { additive: 'Main lost its state', confirmed: true } }), {
    new: 'deliver',
    f: 'remove',
  });
});

void test('A folder that was renamed on Main, with a file put in its place, is no removal of what lay in it', () => {
  const inFolder = (folder: string) =>
    Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`${folder}/${i}`, file(`sound ${i}`)]));
  const before = { a: folder, ...inFolder('a') };
  const budget = { agreedFiles: 40 };
  const moved = { b: folder, ...inFolder('b') };
  const made = planOf({ main: { ...moved, a: file('n') }, mds: before, ledger: before, budget });
  assert.equal(made.held, undefined);
  assert.equal(planOf({ main: { a: file('n') }, mds: before, ledger: before, budget }).heldPaths.length, 1);
});
