import assert from 'node:assert/strict';
import test from 'node:test';
import { assert as check, constantFrom, property, string } from 'fast-check';
import { printable } from '#core/text/printable.ts';

void test('a name is shown as it is when it can be', () => {
  for (const name of ['annonce café.wav', '日本語', '*97#', 'a"b', '😀']) assert.equal(printable(name), name);
});

void test('controls, backslashes and bytes that are not UTF-8 are shown as \\xNN', () => {
  assert.equal(printable('a\nb\u001b[31m\u007f'), String.raw`a\x0ab\x1b[31m\x7f`);
  assert.equal(printable('a\\n'), String.raw`a\x5cn`);
  assert.equal(printable('caf\udce9\udc80.wav'), String.raw`caf\xe9\x80.wav`);
});

void test('characters that hide or reorder text are shown by their number', () => {
  assert.equal(printable('a\u009bb\u2028c\u202ed\ud800'), String.raw`a\u{9b}b\u{2028}c\u{202e}d\u{d800}`);
});

void test('no text comes out with a control character, and no two texts come out alike', () => {
  const text = string({
    unit: constantFrom('a', '\\', 'x', '0', '\n', '\u0080', '\udc80', '\u202e', '{'),
  });
  check(
    property(text, text, (a, b) => {
      // oxlint-disable-next-line no-control-regex -- control characters are what this is about
      assert.doesNotMatch(printable(a), /[\u0000-\u001f\u007f-\u009f]/);
      assert.equal(printable(a) === printable(b), a === b);
      assert.equal(printable(a).isWellFormed(), true);
    }),
  );
});
