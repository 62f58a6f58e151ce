import assert from 'node:assert/strict';
import { test } from 'node:test';
import { breakageText, judgeChange } from '#core/dialplan/judgeChange.ts';
import { folderWorld } from '../../../support/dialplan/folderWorld.ts';
import { readDialplan } from '../../../support/dialplan/atOnce.ts';

type Files = Readonly<Record<string, string>>;

/** The errors of going from one folder to another, as `blamed: text`. */
function errors(before: Files, after: Files): string[] {
  const changed = new Set(
    [...Object.keys(before), ...Object.keys(after)].filter((path) => before[path] !== after[path]),
  );
  return judgeChange(readDialplan(folderWorld(before)), readDialplan(folderWorld(after)), changed)
    .filter(({ finding }) => finding.severity === 'error')
    .map((breakage) => `${breakage.cause ?? breakage.finding.path}: ${breakageText(breakage)}`);
}

const TEMPLATE = '[tpl](!)\nexten = 1,1,NoOp()\n';
const SITE = '[site](tpl)\nexten = 2,1,NoOp()\n';

test('a template that is renamed behind its user, or removed, is an error that names both files', () => {
  const before = { '00-tpl.conf': TEMPLATE, '50-site.conf': SITE };
  for (const after of [{ '90-tpl.conf': TEMPLATE, '50-site.conf': SITE }, { '50-site.conf': SITE }]) {
    assert.deepEqual(
      errors(before, after).map((text) => text.slice(0, 75)),
      ['00-tpl.conf: it breaks 50-site.conf, line 1: The template [tpl] is not defi'],
    );
  }
});

test('the base of a (+) that goes is one, too', () => {
  const plus = '[site](+)\nexten = 3,1,NoOp()\n';
  assert.equal(errors({ 'a.conf': '[site]\n', 'b.conf': plus }, { 'b.conf': plus }).length, 1);
});

test('the base of a (+) that goes when the (+) comes is one, too', () => {
  const plus = '[site](+)\nexten = 3,1,NoOp()\n';
  assert.equal(errors({ 'a.conf': '[site]\n' }, { 'b.conf': plus }).length, 1);
  assert.deepEqual(errors({}, { 'b.conf': plus }), []);
});

test('a template that was never here may come from elsewhere', () => {
  assert.deepEqual(errors({}, { '50-site.conf': SITE }), []);
  assert.deepEqual(errors({ 'a.conf': '[a]\n', '50-site.conf': SITE }, { '50-site.conf': SITE }), []);
});

test('an included file that goes blames its removal', () => {
  const user = '[u]\n#include extensions_extra.d/parts/x.inc\n';
  assert.match(
    errors({ 'a.conf': user, 'parts/x.inc': '' }, { 'a.conf': user })[0] ?? '',
    /^parts\/x\.inc: it breaks a\.conf, line 2: #include of/,
  );
  assert.deepEqual(errors({}, { 'a.conf': user, 'parts/x.inc': '' }), []);
});

test('an extension that another file defines from now on blames that one', () => {
  const b = '[x]\nexten = 1,1,NoOp(b)\n';
  assert.match(
    errors({ 'b.conf': b }, { 'b.conf': b, 'a.conf': '[x]\nexten = 1,1,NoOp(a)\n' })[0] ?? '',
    /^a\.conf: it breaks b\.conf, line 2: 1,1 of \[x\] is defined in a\.conf line 2 already/,
  );
});

test('what was broken before is not held against a change, whatever line it has moved to', () => {
  const b = '[x]\nexten = 1,1,NoOp(b)\n';
  const a = '[x]\nexten = 1,1,NoOp(a)\n';
  assert.deepEqual(errors({ 'a.conf': a, 'b.conf': b }, { 'a.conf': `; moved\n${a}`, 'b.conf': b }), []);
  assert.deepEqual(errors({ 'local.conf': '[broken' }, { 'local.conf': '[broken', 'a.conf': a }), []);
});

/** As many extensions of one context. */
function extensions(application: string, from = 1): string {
  const lines = Array.from({ length: 120 }, (_, i) => `exten = ${i + 1},1,NoOp(${application})\n`);
  return `[x]\n${lines.slice(from - 1).join('')}`;
}

test('a file with many errors of its own blames nothing on a change that fixes one of them', () => {
  const copy = extensions('copy');
  const before = { 'a.conf': extensions('a'), 'z.conf.old': copy };
  assert.deepEqual(errors(before, { 'a.conf': extensions('a', 2), 'z.conf.old': copy }), []);
});

test('many warnings of a file do not hide what a change breaks in it', () => {
  const twice = extensions('twice');
  const includer = `#include extensions_extra.d/parts/x.inc\n#include extensions_extra.d/parts/x.inc\n`;
  const before = { 'a.conf': includer, 'parts/x.inc': twice };
  assert.deepEqual(errors({}, before), []);
  assert.match(
    errors(before, { 'a.conf': includer, 'parts/x.inc': `${twice}exten = 999,,NoOp()\n` })[0] ?? '',
    /^parts\/x\.inc: line 122: /,
  );
});

test('a text that is no dialplan is one error, which nothing else is blamed for', () => {
  const log = 'not dialplan\n'.repeat(30_000);
  const found = errors({}, { 'a.conf': '[a]\n', 'log.txt': log });
  assert.equal(found.length, 1);
  assert.match(found[0] ?? '', /^log\.txt: line 1: .*more than 1000 others of the file/);
  const before = { 'a.conf': '[a]\n', 'log.txt': log };
  assert.deepEqual(errors(before, { 'a.conf': '[a]\nexten = 1,1,NoOp()\n', 'log.txt': log }), []);
});
