import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { it } from 'node:test';
import { jsonText, plain, safe, widthOf } from '#host/cli/output/terminal.ts';

const CHECKOUT = path.resolve(import.meta.dirname, '../../../../..');

void it('a terminal obeys nothing that comes from outside', () => {
  assert.equal(safe('a\u001b[31mb'), 'a\\x1b[31mb');
  assert.equal(safe('ok\nmds1: in sync'), 'ok\\x0amds1: in sync');
  assert.equal(safe('a\u009b2Jb'), 'a\\u{9b}2Jb');
  assert.equal(safe('abc\u202efdp.exe'), 'abc\\u{202e}fdp.exe');
  assert.equal(safe('a\u2028b'), 'a\\u{2028}b');
  assert.equal(safe('\udcff'), '\\xff');
});

void it('text that was made printable before stays as it is', () => {
  assert.equal(safe(safe('a\u001bb')), safe('a\u001bb'));
});

void it('styles are not what comes from outside', () => {
  assert.equal(plain([{ text: 'bad\u001b[0m', style: 'red' }, ' x']), 'bad\\x1b[0m x');
  assert.equal(widthOf([{ text: 'bad', style: 'red' }, '  x']), 6);
});

void it('JSON keeps its value and holds no control character', () => {
  const value = { path: 'a\u009b2J\u202e\u2028\u{e0001}' };
  const text = jsonText(value);
  assert.doesNotMatch(text, /[\u007f-\u009f\p{Cf}\u2028]/u);
  assert.deepEqual(JSON.parse(text), value);
});

void it('is the only door: no command writes to the terminal in another way', () => {
  // The log writes to standard error and output in a foreground daemon, which is its purpose.
  const found = execFileSync(
    'grep',
    ['-rnE', 'process\\.(stdout|stderr)\\.write|console\\.', 'controller', 'agent', 'shared', 'protocol'],
    { cwd: CHECKOUT, encoding: 'utf8' },
  );
  const others = found
    .trim()
    .split('\n')
    .filter((line) => !/^shared\/host\/(cli\/output\/terminal|log\/openLog)\.ts:/.test(line));
  assert.deepEqual(others, []);
});
