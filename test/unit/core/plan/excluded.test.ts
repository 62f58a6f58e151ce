import assert from 'node:assert/strict';
import { test } from 'node:test';
import { file, folder, planOf } from '../../../support/unit/planCase.ts';

const excludes = ['*.bak', 'cache/'];

void test('an excluded name is left alone on both sides', () => {
  for (const direction of ['to-mds', 'both'] as const) {
    const made = planOf({ direction, excludes, main: { 'a.bak': file('1') }, mds: { 'b.bak': file('2') } });
    assert.equal(made.decisions.size, 0, direction);
    const both = planOf({ direction, excludes, main: { 'a.bak': file('1') }, mds: { 'a.bak': file('2') } });
    assert.equal(both.decisions.size, 0, direction);
  }
});

void test('what was delivered before its name was excluded leaves the MDS, whether Main has it or not', () => {
  for (const direction of ['to-mds', 'both'] as const)
    for (const main of [{ 'a.bak': file('1') }, {}]) {
      const made = planOf({
        direction,
        excludes,
        main,
        mds: { 'a.bak': file('1') },
        ledger: { 'a.bak': file('1') },
      });
      const decision = made.decisions.get('a.bak');
      assert.equal(decision?.kind, 'remove', direction);
      assert.match(decision?.kind === 'remove' ? decision.reason : '', /excluded \(\*\.bak\)/);
    }
});

void test('a folder that is excluded goes with what was delivered into it, and stays for what is local', () => {
  const ledger = { cache: folder, 'cache/a': file('1') };
  const goes = planOf({ excludes, main: ledger, mds: ledger, ledger });
  assert.deepEqual([...goes.decisions].map(([path, { kind }]) => `${kind} ${path}`).sort(), [
    'remove cache',
    'remove cache/a',
  ]);
  const stays = planOf({ excludes, main: ledger, mds: { ...ledger, 'cache/own': file('2') }, ledger });
  assert.deepEqual([...stays.decisions].map(([path, { kind }]) => `${kind} ${path}`).sort(), [
    'forget cache',
    'remove cache/a',
  ]);
});

void test('many that become excluded at once are held like any removals', () => {
  const many = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`${i}.bak`, file(String(i))]));
  const budget = { guard: { percent: 25, files: 10 }, agreedFiles: 20, removedLately: 0, confirmed: false };
  const made = planOf({ excludes, mds: many, ledger: many, budget });
  assert.equal(made.decisions.size, 0);
  assert.equal(made.heldPaths.length, 20);
});

void test('where nothing is ever removed, an excluded file stays', () => {
  const a = { 'a.bak': file('1') };
  assert.equal(planOf({ deletions: 'never', excludes, main: a, mds: a, ledger: a }).decisions.size, 0);
});
