import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { type DialplanReading, dialplanSteps } from '#core/dialplan/lint.ts';
import { CORPUS } from '../../../lab/asterisk/corpus.ts';
import { folderWorld } from '../../../support/dialplan/folderWorld.ts';
import { readDialplan } from '../../../support/dialplan/atOnce.ts';

/** Most lines that a step may take: some microseconds each. */
const MOST_LINES = 64;

/** Number of steps that reading takes. */
function stepsFor(files: Readonly<Record<string, string>>): number {
  const steps = dialplanSteps(folderWorld(files));
  let count = 0;
  while (steps.next().done !== true) count += 1;
  return count;
}

test('reading a large folder is divided into steps of a few lines', () => {
  const lines = 5000;
  const text = `[a]\nexten = 1,1,NoOp()\n${' same = n,NoOp()\n'.repeat(lines)}`;
  // Once for the text, and once for what its lines mean.
  assert.ok(stepsFor({ 'a.conf': text }) >= (2 * lines) / MOST_LINES);
  // Lines that say nothing take time, too.
  for (const nothing of ['\n', '; x\n', ' \n', ';-- x --;\n'])
    assert.ok(stepsFor({ 'a.conf': nothing.repeat(lines) }) >= lines / MOST_LINES, nothing);
  const many = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`${String(i)}.conf`, '']));
  assert.ok(stepsFor(many) >= 500, 'small files');
});

test('what happens between two steps does not change what is read', () => {
  const folder = fc.constantFrom(...CORPUS).map(({ files }) => folderWorld(files));
  fc.assert(
    fc.property(folder, folder, fc.infiniteStream(fc.boolean()), (a, b, turns) => {
      const [ofA, ofB] = [dialplanSteps(a), dialplanSteps(b)];
      let [readA, readB]: (DialplanReading | undefined)[] = [undefined, undefined];
      for (const isA of turns) {
        if (isA) readA ??= ofA.next().value ?? undefined;
        else readB ??= ofB.next().value ?? undefined;
        if (readA !== undefined && readB !== undefined) break;
      }
      assert.deepEqual([readA, readB], [readDialplan(a), readDialplan(b)]);
    }),
    { numRuns: 200 },
  );
});
