import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { test } from 'node:test';
import { Tasks } from '#host/process/tasks.ts';

function tasksWith(): { tasks: Tasks; errors: string[] } {
  const errors: string[] = [];
  return { tasks: new Tasks((what, error) => errors.push(`${what}: ${String(error)}`)), errors };
}

void test('an owner that stops waits for every task, also for one that another began meanwhile', async () => {
  const { tasks } = tasksWith();
  const first = Promise.withResolvers<void>();
  const second = Promise.withResolvers<void>();
  tasks.run('the first', async () => {
    await first.promise;
    tasks.run('the second', () => second.promise);
  });
  let isEnded = false;
  const ended = tasks.ended().then(() => (isEnded = true));
  await turn();
  assert.deepEqual([isEnded, tasks.size], [false, 1]);
  first.resolve();
  await turn();
  assert.deepEqual([isEnded, tasks.size], [false, 1]);
  second.resolve();
  await ended;
  assert.equal(tasks.size, 0);
  await tasks.ended();
});

void test('what fails is reported by its name, however it fails, and keeps nothing else from its end', async () => {
  const { tasks, errors } = tasksWith();
  tasks.run('rejects', () => Promise.reject(new Error('a')));
  tasks.run('throws', () => {
    throw new Error('b');
  });
  let isDone = false;
  tasks.run('works', async () => {
    await turn();
    isDone = true;
  });
  await tasks.ended();
  assert.deepEqual(errors.sort(), ['rejects: Error: a', 'throws: Error: b']);
  assert.ok(isDone);
});
