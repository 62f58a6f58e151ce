import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Decision } from '#core/plan/decision.ts';
import { Decisions } from '#core/plan/decisions.ts';
import { readyOf } from '../../../../../agent/directory/jobs/ready.ts';
import { fileEntry } from '../../../../support/unit/applyPlace.ts';

const LARGE = 8 * 1024 * 1024;
const FIRST = 5_600;
const MORE = 10_000;

function deliver(size: number): Decision {
  const plain = { expect: undefined, replacesSpecial: false, content: true, drift: false, reason: '' };
  return { kind: 'deliver', entry: { ...fileEntry('content'), size }, ...plain };
}

function small(many: number): [path: string, decision: Decision][] {
  return Array.from({ length: many }, (_, i) => [`${i}.wav`, deliver(100)]);
}

function ready(
  pending: readonly [path: string, decision: Decision][],
  { isDue = () => true, all = false }: { isDue?: (path: string) => boolean; all?: boolean } = {},
): string[] {
  const decisions = new Decisions();
  for (const [path, decision] of pending) decisions.set(path, decision);
  return [...readyOf(decisions, { isDue, largeFrom: LARGE, all }).keys()];
}

void test('what is in progress, or has failed just now, is not ready', () => {
  assert.deepEqual(ready(small(3), { isDue: (path) => path !== '1.wav' }), ['0.wav', '2.wav']);
});

void test('of very many small files the first that are due are considered, and every large one', () => {
  const found = ready([...small(MORE), ['large.wav', deliver(LARGE)]], { isDue: (path) => path !== '0.wav' });
  assert.deepEqual([found.length, found[0], found.at(-1)], [FIRST + 1, '1.wav', 'large.wav']);
  assert.equal(found.at(-2), `${FIRST}.wav`);
});

void test('all are, where they belong together or one of them may be the new name of a file that is removed', () => {
  assert.equal(ready(small(MORE), { all: true }).length, MORE);
  const removal: Decision = { kind: 'remove', expect: fileEntry('content'), reason: 'removed on Main' };
  assert.equal(ready([...small(MORE), ['old.wav', removal]]).length, MORE + 1);
  const onMain: Decision = { kind: 'remove-on-main', expect: fileEntry('content'), reason: 'removed here' };
  assert.equal(ready([...small(MORE), ['old.wav', onMain]]).length, MORE + 1);
});
