import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { CORPUS } from '../../../lab/asterisk/corpus.ts';
import { folderWorld } from '../../../support/dialplan/folderWorld.ts';
import { readDialplan } from '../../../support/dialplan/atOnce.ts';

function lint(files: Readonly<Record<string, string>>) {
  return [...readDialplan(folderWorld(files)).findings];
}

for (const verdict of ['good', 'broken', 'doubt'] as const) {
  test(`every ${verdict} folder of the corpus is judged as Asterisk judges it`, () => {
    for (const { name, files } of CORPUS.filter((each) => each.verdict === verdict)) {
      const { findings } = readDialplan(folderWorld(files));
      const hasError = findings.some(({ severity }) => severity === 'error');
      assert.deepEqual([name, hasError], [name, verdict === 'broken']);
    }
  });
}

test('a finding names the file, its own line and what is lost', () => {
  const findings = lint({ 'a.conf': '[a]\nexten => 1,1,NoOp()\n', 'b.conf': '; b\n\n[b\n' });
  assert.deepEqual(findings, [
    {
      path: 'b.conf',
      line: 3,
      severity: 'error',
      losesRest: true,
      message:
        "The section header has no closing ']': Asterisk drops the rest of this file and every file after it.",
    },
  ]);
});

test('an extension in two files names the first one', () => {
  const [finding] = lint({
    'b.conf': '[x]\nexten => 1,1,NoOp(b)\n',
    'a.conf': '[x]\n\nexten => 1,1,NoOp(a)\n',
  });
  assert.equal(finding?.path, 'b.conf');
  assert.match(finding.message, /1,1 of \[x\] is defined in a\.conf line 3 already/);
});

test('a broken file does not keep later files from being checked', () => {
  const findings = lint({ 'a.conf': '[a\n', 'b.conf': '[b]\nnot a line\n' });
  assert.deepEqual(
    findings.map(({ path, line }) => [path, line]),
    [
      ['a.conf', 1],
      ['b.conf', 2],
    ],
  );
});

test('hidden files and subfolders are not dialplan', () => {
  assert.deepEqual(lint({ '.a.conf.x': '[a\n', 'old/b.conf': '[b\n', '.git/config': 'x' }), []);
});

test('lines are counted on over the files, as Asterisk does', () => {
  const files = new Map([
    ['a.conf', Buffer.from('[a]\nexten => 1,1,NoOp()\n')],
    ['b.conf', Buffer.from('[b]\nexten => 1,1,NoOp()')],
    ['c.conf', Buffer.from('[c]\nexten => 1,1,NoOp()')],
  ]);
  const { priorities } = readDialplan(folderWorld(files));
  assert.deepEqual(
    priorities.map(({ place }) => [place.line, place.counted]),
    [
      [2, 2],
      [2, 5],
      [2, 7],
    ],
  );
});

test('no bytes make lint fail, and every finding names a line that is there', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      '[',
      ']',
      '(',
      ')',
      ';',
      '--',
      ';--',
      '--;',
      '\\',
      '\n',
      '\r\n',
      '=',
      '=>',
      '+=',
      '!',
      ',',
      '#',
    ),
    fc.constantFrom(
      'exten',
      'same',
      'n',
      '1',
      'hint',
      '_X.',
      '${A}',
      '#include ',
      '\0',
      '[a]\n',
      '\uFEFF',
      ' ',
    ),
    fc.string({ maxLength: 4 }),
  );
  const text = fc.array(piece, { maxLength: 60 }).map((pieces) => Buffer.from(pieces.join('')));
  fc.assert(
    fc.property(text, text, (a, b) => {
      const files = new Map([
        ['a', a],
        ['b', b],
      ]);
      for (const { path, line } of readDialplan(folderWorld(files)).findings) {
        const lines = (files.get(path) ?? Buffer.from('')).toString('latin1').split('\n').length;
        assert.ok(line >= 1 && line <= lines);
      }
    }),
    { numRuns: 500 },
  );
});
