import test from 'node:test';
import { assert, property } from 'fast-check';
import { checkEnd } from './model/checks.ts';
import { type History, histories } from './model/operation.ts';
import { World } from './model/world.ts';
import { runs } from './runs.ts';

void test('whatever users, losses and interruptions do to Main and two MDS: all agree in the end, nothing is lost', () => {
  assert(
    property(histories, (history) => run(history)),
    runs<[History]>(),
  );
});

function run(history: History): void {
  const world = World.after(history);
  world.converge();
  checkEnd(world);
}
