import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CommandCalls } from '../../../../controller/sessions/commandCalls.ts';

const HOW = { now: 1_000, isPatient: false, saysData: true };

void test('a command to an MDS that makes no progress fails, naming the MDS, and a late answer is no protocol violation', async () => {
  const calls = new CommandCalls('mds1');
  let asked = 0;
  const answer = calls.call({ do: 'verify' }, HOW, (id) => (asked = id));
  calls.giveUp(999);
  assert.equal(calls.size, 1, 'it was asked later');
  calls.giveUp(1_000);
  const { ok, lines } = await answer;
  assert.equal(ok, false);
  assert.match(lines[0] ?? '', /^mds1 answers pings but nothing else/);
  assert.equal(calls.size, 0);
  assert.equal(calls.answer({ type: 'answer', id: asked, ok: true, lines: [] }), undefined);
  assert.equal(calls.answer({ type: 'answer', id: asked, ok: true, lines: [] }), 'an answer to nothing');
});

void test('a command is answered when the connection has ended, before it was asked or after', async () => {
  const calls = new CommandCalls('mds1');
  const before = calls.call({ do: 'reconcile' }, { ...HOW, isPatient: true }, () => undefined);
  calls.end('ECONNRESET');
  assert.match((await before).lines[0] ?? '', /ECONNRESET/);
  const after = await calls.call({ do: 'reconcile' }, HOW, () => assert.fail('it was sent'));
  assert.match(after.lines[0] ?? '', /ECONNRESET/);
});
