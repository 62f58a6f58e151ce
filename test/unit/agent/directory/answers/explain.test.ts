import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { obstaclesOfSet } from '../../../../../agent/directory/answers/explain.ts';
import type { Obstacle } from '../../../../../agent/directory/reconciler.ts';

describe('The obstacles of a set', () => {
  const set = ['a.conf', 'b.conf', 'c.conf'];
  const waits = (culprit: string, why: string): string =>
    `waits: it belongs to a change set with ${culprit} (${why})`;

  it('are none when nothing was found and nothing failed', () => {
    assert.equal(obstaclesOfSet(set, () => undefined, new Map()).size, 0);
  });

  it('are what the rehearsal found, path by path', () => {
    const found = obstaclesOfSet(set, () => undefined, new Map([['b.conf', 'line 1: broken']]));
    assert.deepEqual(Object.fromEntries(found), { 'b.conf': { action: 'hold', reason: 'line 1: broken' } });
  });

  it('are a file that could not be written, also for files that became pending later', () => {
    const skip = (reason: string): Obstacle => ({ action: 'skip', reason: `it failed: ${reason}` });
    const tried = new Map([
      ['a.conf', skip(waits('b.conf', 'EPERM'))],
      ['b.conf', skip('EPERM')],
    ]);
    const found = obstaclesOfSet(set, (path) => tried.get(path), new Map());
    assert.deepEqual(found.get('b.conf'), skip('EPERM'));
    assert.deepEqual(found.get('c.conf'), { action: 'hold', reason: waits('b.conf', 'it failed: EPERM') });
  });

  it('do not include the refusal of an older set', () => {
    const refused: Obstacle = { action: 'hold', reason: 'line 1: broken' };
    assert.equal(obstaclesOfSet(set, () => refused, new Map()).size, 0);
  });
});
