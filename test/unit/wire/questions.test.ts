import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Questions } from '#wire/questions.ts';

void test('each question gets its own answer, once', async () => {
  const questions = new Questions<string>();
  const sent: number[] = [];
  const [one, two] = [1, 2].map((id) => questions.ask(id, 0, () => sent.push(id)));
  assert.deepEqual(sent, [1, 2]);
  assert.equal(questions.answer(2, 'second'), true);
  assert.equal(questions.answer(1, 'first'), true);
  assert.equal(questions.answer(1, 'again'), false);
  assert.equal(questions.answer(3, 'to no question'), false);
  assert.deepEqual(await Promise.all([one, two]), ['first', 'second']);
  assert.equal(questions.size, 0);
});

void test('what was asked too long ago fails, what was asked later waits on', async () => {
  const questions = new Questions<string>();
  const [old, later] = [1_000, 1_001].map((now, id) => questions.ask(id, now, () => undefined));
  questions.giveUp(1_000, 'it makes no progress');
  await assert.rejects(old ?? assert.fail(), /it makes no progress/);
  assert.deepEqual([questions.has(0), questions.has(1)], [false, true]);
  assert.equal(questions.answer(0, 'too late'), false);
  questions.answer(1, 'in time');
  assert.equal(await later, 'in time');
});

void test('when the connection ends, every question fails, also one that is asked afterwards and not sent', async () => {
  const questions = new Questions<string>();
  const open = questions.ask(1, 5, () => undefined);
  questions.end('the connection was lost');
  await assert.rejects(open, /the connection was lost/);
  await assert.rejects(
    questions.ask(2, 6, () => assert.fail('it is sent')),
    /the connection was lost/,
  );
  assert.equal(questions.size, 0);
});
