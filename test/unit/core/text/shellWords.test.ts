import assert from 'node:assert/strict';
import test from 'node:test';
import { shellWords } from '#core/text/shellWords.ts';

void test('a command is split as a shell splits words', () => {
  assert.deepEqual(shellWords('/usr/sbin/asterisk'), ['/usr/sbin/asterisk']);
  assert.deepEqual(shellWords(String.raw` a  'b c' "d \"e\" \f" g\ h '' x"y"'z' `), [
    'a',
    'b c',
    String.raw`d "e" \f`,
    'g h',
    '',
    'xyz',
  ]);
  assert.deepEqual(shellWords('  '), []);
  assert.deepEqual(shellWords('a;b $HOME *'), ['a;b', '$HOME', '*']);
});

void test('an unfinished command is refused', () => {
  assert.throws(() => shellWords('a "b'), /has a " that is never closed/);
  assert.throws(() => shellWords("a 'b"), /has a ' that is never closed/);
  assert.throws(() => shellWords('a \\'), /ends in a backslash/);
});
