import assert from 'node:assert/strict';
import test from 'node:test';
import { table } from '#host/cli/output/table.ts';

void test('a table is aligned, numbers to the right, without blanks at the end of a line', () => {
  const rows = [
    ['mds1', '12', 'in sync'],
    ['mds-lyon', '7', ''],
  ];
  assert.deepEqual(table(['NAME', 'FILES', 'STATE'], rows, { right: [1] }), [
    'NAME      FILES  STATE',
    'mds1         12  in sync',
    'mds-lyon      7',
  ]);
});

void test('a name from outside breaks no table, and accents take the place they need', () => {
  assert.deepEqual(
    table(
      ['A', 'B'],
      [
        ['e\u0301té', 'x'],
        ['a\nb', 'y'],
      ],
    ),
    ['A       B', 'e\u0301té     x', String.raw`a\x0ab  y`],
  );
});

void test('only the heading is coloured, and only when asked', () => {
  assert.deepEqual(table(['A'], [['b']], { colour: true }), ['\u001b[1mA\u001b[0m', 'b']);
  assert.deepEqual(table(['A'], []), ['A']);
});

void test('a row that is wider than the terminal has its last columns below, wrapped', () => {
  const rows = [
    ['LOCAL', 'sounds/a.wav', '12', 'local file: only on mds1, left alone'],
    ['DRIFT', 'sounds/b.wav', '7', ''],
  ];
  const wide = ['KIND', 'PATH', 'SIZE', 'DESCRIPTION'];
  const of = (width: number): string[] => table(wide, rows, { right: [2], fold: { from: 3, width } });
  const whole = table(wide, rows, { right: [2] });
  const needed = Math.max(...whole.map(({ length }) => length));
  assert.deepEqual(of(needed), whole);
  assert.deepEqual(of(Infinity), whole);
  assert.deepEqual(of(needed - 1), [
    'KIND   PATH          SIZE',
    'LOCAL  sounds/a.wav    12',
    '    local file: only on mds1, left alone',
    'DRIFT  sounds/b.wav     7',
  ]);
  assert.deepEqual(of(30).slice(2, 4), ['    local file: only on mds1,', '    left alone']);
});

void test('what is below can not forge a line', () => {
  assert.deepEqual(table(['A', 'B'], [['a', 'x\ny']], { fold: { from: 1, width: 3 } }), [
    'A',
    'a',
    String.raw`    x\x0ay`,
  ]);
});
