import assert from 'node:assert/strict';
import { test } from 'node:test';
import { summaryText } from '#core/dialplan/summary.ts';
import { folderWorld } from '../../../support/dialplan/folderWorld.ts';
import { readDialplan, summarise } from '../../../support/dialplan/atOnce.ts';

type Files = Readonly<Record<string, string>>;

function summary(before: Files, after: Files): string {
  const [old, next] = [before, after].map((files) => readDialplan(folderWorld(files)).priorities);
  return summaryText(summarise(old ?? [], next ?? []));
}

test('a change set is described by the extensions gained, changed and lost', () => {
  const before = '[support]\nexten = 200,1,NoOp(a)\nexten = 300,1,NoOp()\n same = n,Hangup()\n';
  const after = '[support]\nexten = 100,1,NoOp()\nexten = 200,1,NoOp(b)\n';
  assert.equal(summary({ 'a.conf': before }, { 'a.conf': after }), '[support] +100,1 ~200,1 -300,*');
});

test('a template that changes is described in the contexts that have it', () => {
  const users = '[b](t)\n[c](t)\n';
  assert.equal(
    summary(
      { 'a.conf': `[t](!)\nexten = 1,1,NoOp(x)\n${users}` },
      { 'a.conf': `[t](!)\nexten = 1,1,NoOp(y)\nexten = 1,hint,SIP/1\n${users}` },
    ),
    '[b] +1,hint ~1,1 [c] +1,hint ~1,1',
  );
});

test('what moves to another file, another line or another spelling is no change', () => {
  const from = { 'a.conf': '[x]\nexten => 555-12,1,NoOp()\nexten => _NX,1,NoOp()\n' };
  assert.equal(
    summary(from, { 'b.conf': '; moved\n[x]\nexten = _[2-9]X,1,NoOp()\nexten = 55512,1,NoOp()\n' }),
    '',
  );
});

test('a broken file is described by what is lost behind it', () => {
  const after = { 'a.conf': '[a\n', 'b.conf': '[b]\nexten = 1,1,NoOp()\n' };
  assert.equal(summary({ 'b.conf': after['b.conf'] }, after), '[b] -1,*');
});

test('a list that would fill a screen is cut, and the rest is counted', () => {
  const many = Array.from({ length: 200 }, (_, i) => `exten = ${String(i)},1,NoOp()\n`).join('');
  assert.match(summary({}, { 'a.conf': `[a]\n${many}` }), /^\[a\] \+0,1 .* and 180 more$/);
});
