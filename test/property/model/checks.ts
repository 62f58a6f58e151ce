import assert from 'node:assert/strict';
import { sameEntry } from '#core/manifest/entry.ts';
import { foldersAbove } from './names.ts';
import type { Side } from './side.ts';
import type { Agent, World } from './world.ts';

/** What must hold when everything was connected and nothing changes any more. */
export function checkEnd(world: World): void {
  for (const agent of Object.values(world.agents)) {
    checkAgreement(world, agent);
    checkRemovalsStand(world, agent.side);
  }
  checkRemovalsStand(world, world.main);
}

/** Invariant 1: the same on both, apart from overrides, what never travels, and local files. */
function checkAgreement(world: World, agent: Agent): void {
  const { main } = world;
  const { side } = agent;
  for (const path of new Set([...main.paths(), ...side.paths()])) {
    if (isExempt(main, side, path)) continue;
    const onMain = main.entryAt(path);
    const onMds = side.entryAt(path);
    if (onMain && onMds) {
      assert.ok(sameEntry(onMain, onMds), `${path} differs on Main and ${side.name}`);
      const agreed = agent.ledger.get(path);
      assert.ok(
        agreed && sameEntry(agreed, onMain),
        `the ledger of ${side.name} does not hold ${path} as it is`,
      );
    } else if (onMain) assert.fail(`${path} is on Main and not on ${side.name}`);
    else if (world.policy.direction === 'both') assert.fail(`${path} is on ${side.name} and not on Main`);
    else checkLocal(world, agent, path);
  }
}

function isExempt(main: Side, side: Side, path: string): boolean {
  if (main.at(path) === undefined && staysOnMdsAlone(side, path)) return true;
  return [...foldersAbove(path), path].some((each) => {
    const onMain = main.at(each);
    if (onMain === 'special') return true;
    return onMain !== undefined && !main.isFolder(each) && side.isFolder(each) && side.holdsOverride(each);
  });
}

/** It is, or it is a folder that holds, what can't travel. */
function staysOnMdsAlone(side: Side, path: string): boolean {
  if (side.at(path) === 'special') return true;
  if (!side.isFolder(path)) return false;
  return side.holdsOverride(path) || side.below(path).some((each) => side.at(each) === 'special');
}

/** What is on an MDS alone was put there by its users. */
function checkLocal(world: World, { name, side }: Agent, path: string): void {
  if (world.ledgerWasLost || world.policy.deletions === 'never') return;
  const entry = side.entryAt(path);
  const local =
    entry?.type === 'file'
      ? world.put[name].has(`${path} ${entry.hash}`)
      : entry?.type === 'link' || world.madeFolders[name].has(path);
  assert.ok(local, `${path} was removed on Main and is still on ${name}`);
}

/** What a user removed on Main stays removed, unless an MDS had another version of it. */
function checkRemovalsStand(world: World, side: Side): void {
  const { policy } = world;
  if (policy.deletions === 'never' || world.ledgerWasLost || world.tombstonesWereLost) return;
  for (const path of side.paths()) {
    const entry = side.entryAt(path);
    if (entry?.type !== 'file' || isExempt(world.main, side, path)) continue;
    assert.ok(
      !world.buried.has(`${path} ${entry.hash}`),
      `${path} was removed on Main and is on ${side.name} again`,
    );
  }
}
