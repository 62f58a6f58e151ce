import { deepEqual, equal, ok } from 'node:assert/strict';
import test from 'node:test';
import { assert, nat, property } from 'fast-check';
import { type Decision, isFolderRemoval, isRemoval } from '#core/plan/decision.ts';
import type { RemovalBudget } from '#core/plan/guard.ts';
import type { Guard } from '#core/plan/policy.ts';
import { checkEnd } from './model/checks.ts';
import { histories, type History } from './model/operation.ts';
import type { Side } from './model/side.ts';
import { type Agent, World } from './model/world.ts';
import { runs } from './runs.ts';

void test('the guard holds removals only, all of them and nothing else, and releases them when a person confirms', () => {
  assert(
    property(histories, nat(3), nat(99), (history, files, percent) => {
      const world = World.after(history);
      for (const agent of Object.values(world.agents)) passGuarded(world, agent, { files, percent });
      world.converge();
      checkEnd(world);
    }),
    runs<[History, number, number]>(),
  );
});

void test('removals that were decided before are judged with new ones as if they were decided again', () => {
  assert(
    property(histories, nat(3), nat(99), (history, files, percent) => {
      const world = World.after(history);
      for (const agent of Object.values(world.agents)) comparePlans(world, agent, { files, percent });
    }),
    runs<[History, number, number]>(),
  );
});

function comparePlans(world: World, agent: Agent, guard: Guard): void {
  const all = world.plan(agent).decisions;
  const standing = new Map(
    [...all].filter(([, decision]) => isRemoval(decision) && !isFolderRemoval(decision)),
  );
  const others = [...all.keys()].filter((path) => !standing.has(path));
  const budget = budgetOf(agent, guard);
  const again = world.plan(agent, [...others, ...standing.keys()], budget);
  const made = world.plan(agent, others, budget, standing);
  deepEqual(new Map(made.decisions), new Map(again.decisions));
  deepEqual([made.held, new Set(made.heldPaths)], [again.held, new Set(again.heldPaths)]);
}

function budgetOf(agent: Agent, guard: Guard): RemovalBudget {
  const agreedFiles = [...agent.ledger.values()].filter(({ type }) => type === 'file').length;
  return { guard, agreedFiles, removedLately: 0, additive: undefined, confirmed: false };
}

function passGuarded(world: World, agent: Agent, guard: Guard): void {
  const budget = budgetOf(agent, guard);
  const { agreedFiles } = budget;
  const all = world.plan(agent);
  const made = world.plan(agent, undefined, budget);
  equal(made.held === undefined, made.heldPaths.length === 0);
  deepEqual(
    new Map([...all.decisions].filter(([path]) => !made.heldPaths.includes(path))),
    new Map(made.decisions),
  );
  for (const path of made.heldPaths)
    ok(removes(all.decisions.get(path)), `${path} is held and removes nothing`);
  const before = [...filesOf(world, agent)];
  const known = [new Set(world.main.contents()), new Set(agent.side.contents())] as const;
  world.carryOut(agent, made.decisions, { stale: 'never' });
  const gone = before.filter(({ on, path }) => on.at(path) === undefined);
  if (made.held !== undefined) equal(gone.length, 0, 'files were removed past the guard');
  // What the other side has under another name is renamed, not removed.
  const removed = gone.filter(({ on, content }) => {
    return content === undefined || !known[on === world.main ? 1 : 0].has(content);
  }).length;
  ok(removed <= guard.files || removed * 100 <= agreedFiles * guard.percent, `${removed} files were removed`);
}

function removes(decision: Decision | undefined): boolean {
  if (decision?.kind === 'remove' || decision?.kind === 'remove-on-main') return true;
  if (decision?.kind !== 'deliver' && decision?.kind !== 'upload') return false;
  return decision.entry.type !== 'folder' && decision.expect?.type === 'folder';
}

/** Files, links and other entries. Where a folder takes a file's name, that is no removal. */
function* filesOf(world: World, { side }: Agent): Iterable<{ on: Side; path: string; content?: string }> {
  for (const on of [world.main, side]) {
    for (const path of on.paths()) {
      const entry = on.entryAt(path);
      if (entry?.type === 'file') yield { on, path, content: entry.hash };
      else if (!on.isFolder(path)) yield { on, path };
    }
  }
}
