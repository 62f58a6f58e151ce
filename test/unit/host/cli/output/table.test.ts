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
