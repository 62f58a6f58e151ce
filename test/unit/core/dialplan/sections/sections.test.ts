import assert from 'node:assert/strict';
import { test } from 'node:test';
import { breakageText, judgeChange } from '#core/dialplan/judgeChange.ts';
import type { DialplanReading } from '#core/dialplan/lint.ts';
import { folderWorld } from '../../../../support/dialplan/folderWorld.ts';
import { readDialplan } from '../../../../support/dialplan/atOnce.ts';

/** What Asterisk 16 was seen to make of section headers, priorities and names that people seldom write. */

type Files = Readonly<Record<string, string>>;

const START = '[general]\nstatic = yes\n#include extensions_extra.d/*\n';

function read(files: Files, start = START): DialplanReading {
  return readDialplan(folderWorld(files, { '/etc/asterisk/extensions.conf': start }));
}

function plan(files: Files): string[] {
  return read(files).priorities.map(
    ({ context, extension, shown }) => `${context} ${extension} ${String(shown)}`,
  );
}

function errors(files: Files, start = START): string[] {
  return read(files, start)
    .findings.filter(({ severity }) => severity === 'error')
    .map(({ path, line, message }) => `${path}:${String(line)} ${message}`);
}

test('a (+) after a ! makes the section that it adds to a template', () => {
  const files = { '1.conf': '[t]\nexten = 1,1,NoOp\n', '2.conf': '[t](!,+)\nexten = 2,1,NoOp\n[u](t)\n' };
  assert.deepEqual(errors(files), []);
  assert.deepEqual(plan(files), ['u 1 1. NoOp()', 'u 2 1. NoOp()']);
});

test('a (+) with a filter adds to a section that fits it, a template too', () => {
  const template = '[b](!)\nexten = 5,1,NoOp\n';
  assert.equal(errors({ '1.conf': `${template}[b](+)\n` }).length, 1);
  assert.deepEqual(errors({ '1.conf': `${template}[b](+TEMPLATES=include)\n` }), []);
  assert.deepEqual(errors({ '1.conf': `${template}[b](+TEMPLATES=restrict&exten=5)\n` }), []);
  assert.deepEqual(errors({ '1.conf': '[b]\nexten = 5,1,NoOp\n[b](+exten=5)\n' }), []);
  assert.equal(errors({ '1.conf': '[b]\nexten = 5,1,NoOp\n[b](+exten=6)\n' }).length, 1);
  assert.equal(errors({ '1.conf': '[b]\nexten = 5,1,NoOp\n[b](+exten)\n' }).length, 1);
});

test('an empty name stands for the first section of all', () => {
  assert.deepEqual(errors({ '1.conf': '[b]()\nexten = 5,1,NoOp\n' }), []);
  assert.deepEqual(plan({ '1.conf': '[]\nexten = 1,1,NoOp\n[](+)\nexten = 2,1,NoOp\n' }), [' 1 1. NoOp()']);
});

test('a line before any section loses the rest', () => {
  const [first] = errors({ '1.conf': 'exten = 1,1,NoOp\n[a]\n' }, '#include extensions_extra.d/*\n');
  assert.match(first ?? '', /^1\.conf:1 There is no \[section\] before this line: .* every file after it/);
});

test('a template with more lines than a call takes arguments is taken over', () => {
  const many = `exten = 1,1,A\n${'same=n,A\n'.repeat(130_000)}`;
  assert.equal(read({ '1.conf': `[t](!)\n${many}[a](t)\n` }).priorities.length, 130_001);
});

test('templates that double their lines each time come to an end', () => {
  const doubled = Array.from(
    { length: 30 },
    (_, i) => `[t${String(i + 1)}](!,t${String(i)},t${String(i)})\n`,
  );
  const { findings, hasUnknown } = read({ '1.conf': `[t0](!)\nexten = 1,1,NoOp\n${doubled.join('')}` });
  assert.equal(hasUnknown, true);
  assert.ok(findings.every(({ message }) => message.startsWith('Sections inherit too many lines')));
});

test('lines that append to the same line, or to none, are no burden', () => {
  const names = Array.from({ length: 50_000 }, (_, i) => `e${String(i)} += x\n`).join('');
  const started = process.cpuUsage().user;
  read({ '1.conf': `[globals]\n${names}[a]\nexten = 1,1,NoOp(\n${'exten += x\n'.repeat(100_000)}` });
  assert.ok(process.cpuUsage().user - started < 2_000_000);
});

test('priorities are 32-bit integers, and n leads nowhere from below -1', () => {
  assert.deepEqual(plan({ '1.conf': '[a]\nexten = 1,99999999999,NoOp\n same = n,NoOp\n' }), [
    'a 1 1215752191. NoOp()',
    'a 1 1215752192. NoOp()',
  ]);
  assert.deepEqual(plan({ '1.conf': '[a]\nexten = 1,2147483647,NoOp\n same = n,NoOp\n' }), [
    'a 1 2147483647. NoOp()',
    'a 1 -2147483648. NoOp()',
  ]);
  const below = '[a]\nexten = 1,5,NoOp\n same = n+-9,NoOp\n same = n,NoOp\n';
  assert.match(errors({ '1.conf': below }).join(), /^1\.conf:4 The priority 'n' has none before it[^,]*$/);
});

test('names are cut where Asterisk cuts them', () => {
  const long = 'c'.repeat(85);
  assert.equal(
    errors({ '1.conf': `[${long}x]\nexten = 1,1,NoOp(1)\n[${long}y]\nexten = 1,1,NoOp(2)\n` }).length,
    1,
  );
  const [shown] = read({ '1.conf': `[a]\nexten = ${'1'.repeat(300)},1,NoOp\n` }).priorities;
  assert.equal(shown?.extension.length, 255);
});

test('a long comment is no loss, unless a block of comments begins or ends in it', () => {
  const long = 'x'.repeat(9_000);
  assert.deepEqual(errors({ '1.conf': `[a]\n ;${long}\nexten = 1,1,NoOp\n` }), []);
  assert.deepEqual(errors({ '1.conf': `[a]\n;--\n${long}\n--;\n` }), []);
  assert.deepEqual(errors({ '1.conf': `[a]\n ;${long} ;-- x\n` }), []);
  assert.deepEqual(errors({ '1.conf': `[a]\n;-- ${long} --;\nexten = 1,1,NoOp\n` }), []);
  assert.equal(errors({ '1.conf': `[a]\n;-- ${long} --; exten = 1,1,NoOp\n` }).length, 1);
  assert.equal(errors({ '1.conf': `[a]\n;-- ${long}\nexten = 1,1,NoOp\n` }).length, 1);
  assert.match(errors({ '1.conf': `[a]\n;--\n${long} --;\n--;\n` }).join(), /1\.conf:3 The line is longer/);
});

test('a template that extensions.conf uses after the folder breaks with the folder', () => {
  const start = `${START}[site](tpl)\nexten = 1,1,NoOp\n`;
  const before = read({ 't.conf': '[tpl](!)\n' }, start);
  const after = read({ 'u.conf': '; x\n' }, start);
  const breakages = judgeChange(before, after, new Set(['t.conf', 'u.conf']));
  assert.deepEqual(
    breakages.map((each) => [each.cause, breakageText(each).slice(0, 71)]),
    [['t.conf', 'it breaks /etc/asterisk/extensions.conf, line 4: The template [tpl] is ']],
  );
  assert.deepEqual(judgeChange(after, after, new Set(['u.conf'])), []);
});
