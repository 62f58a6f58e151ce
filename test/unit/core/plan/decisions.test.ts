import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { bytesOf } from '#core/manifest/entry.ts';
import { filePool } from '#core/manifest/kept/filePool.ts';
import { type Decision, deliverNew, uploadNew } from '#core/plan/decision.ts';
import { Decisions } from '#core/plan/decisions.ts';
import { collectedUntil, MANY, manyFiles } from '../../../support/unit/collected.ts';
import { fileEntry, folderEntry } from '../../../support/unit/applyPlace.ts';

const file = fileEntry('a file');
const longer = fileEntry('a longer file');

const decisions = fc.constantFrom<Decision>(
  deliverNew(file),
  deliverNew(longer),
  deliverNew(folderEntry()),
  uploadNew(file),
  { kind: 'agree', entry: longer },
  // Alike, but not what is kept as a number.
  { ...deliverNew(file), reason: 'changed on Main' },
  { ...uploadNew(longer), reason: 'changed on the MDS' },
  { kind: 'remove', expect: file, reason: 'removed on Main' },
  { kind: 'skip', reason: 'it is still being written on Main', failed: false },
);

void test('decisions are as they were set, in their order, however they are kept', () => {
  const acts = fc.record({
    path: fc.constantFrom('a', 'b', 'c', 'd'),
    decision: fc.option(decisions, { nil: undefined }),
    clears: fc.constantFrom(false, false, false, false, false, true),
  });
  fc.assert(
    fc.property(fc.array(acts, { maxLength: 60 }), (list) => {
      const before = filePool.size;
      const made = new Decisions();
      const expected = new Map<string, Decision>();
      for (const { path, decision, clears } of list) {
        if (clears) {
          made.clear();
          expected.clear();
        } else if (decision === undefined) {
          made.delete(path);
          expected.delete(path);
        } else {
          made.set(path, decision);
          expected.set(path, decision);
        }
        assert.deepEqual([made.get(path), made.has(path)], [expected.get(path), expected.has(path)]);
        assert.deepEqual([...made], [...expected]);
        assert.equal(made.size, expected.size);
        checkSums(made, expected);
      }
      made.clear();
      assert.deepEqual([made.size, filePool.size], [0, before]);
    }),
  );
});

void test('decisions that are discarded keep nothing in the pool', async () => {
  (() => {
    const made = new Decisions();
    for (const entry of manyFiles()) made.set(entry.mtime, deliverNew(entry));
  })();
  const before = filePool.size;
  assert.ok(await collectedUntil(() => filePool.size <= before - MANY));
});

/** Each is found in its order, and what is left out of the others is counted by its bytes. */
function checkSums(made: Decisions, expected: ReadonlyMap<string, Decision>): void {
  const others = new Map(made.others());
  const found: [path: string, kind: string, bytes: number | undefined][] = [];
  made.forEach((...each) => found.push(each));
  let newBytes = 0;
  for (const [number, [path, decision]] of [...expected].entries()) {
    const bytes = decision.kind === 'deliver' || decision.kind === 'upload' ? bytesOf(decision.entry) : 0;
    const isOther = others.has(path);
    assert.deepEqual(found[number], [path, decision.kind, isOther ? undefined : bytes]);
    if (!isOther) newBytes += bytes;
    assert.ok(others.has(path) || ['deliver', 'upload', 'agree'].includes(decision.kind));
  }
  assert.equal(found.length, expected.size);
  assert.equal(made.newBytes, newBytes);
}
