import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Decision } from '#core/plan/decision.ts';
import { Decisions } from '#core/plan/decisions.ts';
import { readyOf } from '../../../../../agent/directory/jobs/ready.ts';
import type { Room } from '../../../../../agent/directory/jobs/schedule.ts';
import { fileEntry } from '../../../../support/unit/applyPlace.ts';

const LARGE = 8 * 1024 * 1024;
const FIRST = 1_400;
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
  {
    isDue = () => true,
    room = { download: FIRST, upload: FIRST },
    moves = [],
    live = new Set(),
  }: {
    isDue?: (path: string) => boolean;
    room?: Room;
    live?: ReadonlySet<string>;
    moves?: readonly (readonly [path: string, from: string])[];
  } = {},
): string[] {
  const decisions = new Decisions();
  for (const [path, decision] of pending) decisions.set(path, decision);
  const from = new Map(moves);
  const to = new Map(moves.map(([path, before]) => [before, path]));
  return [...readyOf(decisions, { isDue, largeFrom: LARGE, room, live, moves: { from, to } }).keys()];
}

const entry = fileEntry('content');
const removal: Decision = { kind: 'remove', expect: entry, reason: 'removed on Main' };

void test('what is in progress, or has failed just now, is not ready', () => {
  assert.deepEqual(ready(small(3), { isDue: (path) => path !== '1.wav' }), ['0.wav', '2.wav']);
});

void test('of very many small files the first that are due are considered, and every large one', () => {
  const found = ready([...small(MORE), ['large.wav', deliver(LARGE)]], { isDue: (path) => path !== '0.wav' });
  assert.deepEqual([found.length, found[0], found.at(-1)], [FIRST + 1, '1.wav', 'large.wav']);
  assert.equal(found.at(-2), `${FIRST}.wav`);
});

void test('those to Main are not kept waiting by those that come from there, nor the other way round', () => {
  const toMain: [string, Decision][] = [
    ['new.wav', { kind: 'upload', entry, expect: undefined, content: true, conflict: false, reason: '' }],
    ['gone.wav', { kind: 'remove-on-main', expect: entry, reason: 'removed here' }],
    ['lost.wav', { kind: 'lose', loser: entry, winner: entry, reason: 'older' }],
  ];
  const names = toMain.map(([path]) => path);
  const found = ready([...small(MORE), ...toMain]);
  assert.deepEqual([found.length, ...found.slice(-3)], [FIRST + 3, ...names]);
  assert.deepEqual(
    ready([...small(MORE), ...toMain], { room: { download: 0, upload: 2 } }),
    names.slice(0, 2),
  );
  assert.deepEqual(ready([...toMain, ...small(2)], { room: { download: 2, upload: 0 } }), ['0.wav', '1.wav']);
});

void test('what has just changed is considered in any case', () => {
  const live = new Set([`${MORE - 1}.wav`, 'nothing.wav']);
  const room = { download: 0, upload: 0 };
  assert.deepEqual(ready(small(MORE), { room, live }), [`${MORE - 1}.wav`]);
  assert.deepEqual(ready(small(MORE), { room, live, isDue: () => false }), []);
});

void test('all are, where they belong together', () => {
  assert.equal(ready(small(MORE), { room: { download: Infinity, upload: Infinity } }).length, MORE);
});

void test('a file that is to be renamed comes with its present name, which does not come before or without it', () => {
  const moves = small(MORE).map(([path]) => [path, `old/${path}`] as const);
  const pending = [...moves.map(([, from]) => [from, removal] as [string, Decision]), ...small(MORE)];
  const found = ready(pending, { moves });
  assert.equal(found.length, 2 * FIRST);
  assert.deepEqual(found.slice(-2), [`${FIRST - 1}.wav`, `old/${FIRST - 1}.wav`]);
  assert.deepEqual(ready(pending.slice(-3), { moves }), [
    `${MORE - 3}.wav`,
    `${MORE - 2}.wav`,
    `${MORE - 1}.wav`,
  ]);
});

void test('a file whose new name has to wait is removed all the same, and one whose removal has to wait is delivered', () => {
  const moves = [['0.wav', 'old.wav']] as const;
  const pending: [string, Decision][] = [...small(1), ['old.wav', removal]];
  const without = (path: string) => ({ moves, isDue: (each: string) => each !== path });
  assert.deepEqual(ready(pending, without('0.wav')), ['old.wav']);
  assert.deepEqual(ready(pending, without('old.wav')), ['0.wav']);
  assert.deepEqual(ready(pending.slice(1), { moves }), ['old.wav']);
});
