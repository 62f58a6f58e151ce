import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readAnswer } from '../../../../../agent/asterisk/reload/readAnswer.ts';

const exit = (code: number, output: string) => readAnswer({ how: 'exit', code, output });

test('an answer that says nothing counts as done', () => {
  assert.equal(exit(0, '').meaning, 'done');
  assert.equal(exit(0, 'Dialplan reloaded.\n').meaning, 'done');
});

test('no listener at the socket means away, whatever the exit code', () => {
  const words = 'Unable to connect to remote asterisk (does /var/run/asterisk/asterisk.ctl exist?)\n';
  assert.deepEqual(exit(1, words), { meaning: 'away', message: words.trim() });
  assert.equal(exit(0, words).meaning, 'away');
});

test('a group that the client may not take on is reported with the remedy', () => {
  const answer = exit(1, 'Unable to setgid to 104 (asterisk)\n');
  assert.deepEqual(
    [answer.meaning, answer.meaning === 'away' && answer.message],
    ['away', 'Unable to setgid to 104 (asterisk)'],
  );
  assert.match(
    (answer.meaning === 'away' && answer.remedy) || '',
    /rungroup.*CapabilityBoundingSet=CAP_SETGID/,
  );
});

test('a missing command is distinguished from a refusal, although both exit with 0', () => {
  const words =
    "No such command 'dialplan reload' (type 'core show help dialplan reload' for other possible commands)";
  assert.equal(exit(0, words).meaning, 'unloaded');
});

test('a reload that is already in progress is busy', () => {
  assert.equal(exit(0, 'A module reload request is already in progress; please be patient').meaning, 'busy');
  assert.equal(exit(0, "The previous reload command didn't finish yet").meaning, 'busy');
});

test('another exit code without words is no answer, and says the code', () => {
  assert.deepEqual(exit(7, ''), { meaning: 'away', message: 'exit code 7' });
});

test('a command that hangs or cannot be started is no answer', () => {
  assert.equal(readAnswer({ how: 'timeout', afterMs: 5, output: '' }).meaning, 'away');
  assert.deepEqual(readAnswer({ how: 'unstartable', message: 'cannot run x', output: '' }), {
    meaning: 'away',
    message: 'cannot run x',
  });
});
