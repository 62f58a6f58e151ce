import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Entry } from '#core/manifest/entry.ts';
import { type Decision, deliverNew } from '#core/plan/decision.ts';
import type { Plan } from '#core/plan/plan.ts';
import type { PlanInput } from '#core/plan/planInput.ts';
import { CurrentPlan, type CurrentPlanOptions } from '../../../../agent/directory/currentPlan.ts';
import { Retries } from '../../../../agent/directory/retries.ts';
import { fileEntry } from '../../../support/unit/applyPlace.ts';
import { ManualClock } from '../../../support/wire/manualClock.ts';

const FILE = fileEntry('music');
const FOLDER: Entry = { type: 'folder', mode: 0o755, owner: 'root', group: 'root', uid: 0, gid: 0 };

function planOf(decisions: Readonly<Record<string, Decision>>, heldPaths: readonly string[] = []): Plan {
  const held = heldPaths.length > 0 ? 'too many removals' : undefined;
  return {
    decisions: new Map(Object.entries(decisions)),
    decided: undefined,
    held,
    heldPaths,
  };
}

function current(folders: readonly string[] = []): {
  plan: CurrentPlan;
  retries: Retries;
  learnt: Map<string, Entry | undefined>;
} {
  const learnt = new Map<string, Entry | undefined>();
  const retries = new Retries();
  const options = {
    mainManifest: { revision: 7, refused: new Map() },
    replica: { get: (path: string) => folders.includes(path) && { kind: 'settled', entry: FOLDER } },
    agreed: {
      ledger: { entries: new Map(['a', 'b', 'c', 'd', 'folder'].map((path) => [path, FILE])) },
      learn: (paths: readonly string[], decisions: Plan['decisions']) => {
        for (const path of paths) {
          const decision = decisions.get(path);
          learnt.set(path, decision?.kind === 'agree' ? decision.entry : undefined);
        }
      },
    },
    removals: { isAdditive: false, held: () => undefined, nothingHeld: () => undefined },
    clock: new ManualClock(),
  } as unknown as CurrentPlanOptions;
  return { plan: new CurrentPlan(options, retries), retries, learnt };
}

/** What Main, this MDS and the ledger have, by path. */
function inputOf(
  main: Readonly<Record<string, Entry>>,
  mds: Readonly<Record<string, Entry>>,
  ledger: Readonly<Record<string, Entry>>,
): PlanInput {
  const tree = (entries: Readonly<Record<string, Entry>>): unknown => ({
    get: (path: string) => path in entries && { kind: 'settled', entry: entries[path] },
  });
  return {
    policy: { direction: 'to-mds', deletions: 'main' },
    main: tree(main),
    mds: tree(mds),
    ledger: new Map(Object.entries(ledger)),
    tombstones: new Map(),
    clockOffset: 0n,
    mainClocks: new Map(),
  } as unknown as PlanInput;
}

const remove: Decision = { kind: 'remove', expect: FILE, reason: 'removed on Main' };

describe('The current plan of a directory', () => {
  it('knows what has changed as one of a few, until nothing is to be done about it any more', () => {
    const { plan } = current();
    const many = (count: number): Record<string, Decision> =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`${i}.wav`, deliverNew(FILE)]));
    const take = (decisions: Readonly<Record<string, Decision>>): unknown =>
      plan.take(planOf(decisions), new Set(Object.keys(decisions)));
    plan.take(planOf({ a: deliverNew(FILE), b: deliverNew(FILE) }), 'all');
    take(many(101));
    assert.deepEqual([...plan.live], []);
    take({ b: deliverNew(FILE), c: deliverNew(FILE), d: deliverNew(FILE) });
    assert.deepEqual([...plan.live], ['b', 'c', 'd']);
    // Neither a whole plan nor one about many others sends them to the end.
    plan.take(planOf({ ...many(101), b: deliverNew(FILE), d: deliverNew(FILE) }), 'all');
    take({ ...many(101), d: deliverNew(FILE) });
    assert.deepEqual([...plan.live], ['b', 'd']);
    plan.ended(['d'], inputOf({ d: FILE }, { d: FILE }, { d: FILE }));
    assert.deepEqual([...plan.live], ['b']);
    plan.take(planOf({}), new Set(['b']));
    assert.deepEqual([...plan.live], []);
    take(many(100));
    assert.equal(plan.live.size, 100);
  });

  it('replaces what a partial plan is about, and keeps the rest', () => {
    const { plan } = current();
    plan.take(planOf({ a: remove, b: remove }), 'all');
    plan.take(planOf({ c: remove }), new Set(['a', 'c']));
    assert.deepEqual([...plan.pending.keys()], ['b', 'c']);
    assert.deepEqual([...plan.removals.keys()], ['b', 'c']);
    assert.equal(plan.revision, 7);
  });

  it('has removals decided again only where something may have changed about them', () => {
    const { plan } = current();
    const folder: Decision = { kind: 'remove', expect: FOLDER, reason: 'removed on Main' };
    const onMain: Decision = { ...remove, kind: 'remove-on-main' };
    plan.take(planOf({ a: remove, b: onMain, c: remove, d: remove, gone: remove, folder }), 'all');
    plan.inFlight.add('c');
    const { paths, standing } = plan.toPlan(new Set(['d', 'new']));
    assert.deepEqual([...paths], ['d', 'new', 'c', 'gone', 'folder']);
    assert.deepEqual(
      [...standing],
      [
        ['a', remove],
        ['b', onMain],
      ],
    );
  });

  it('asks for a plan over everything when part of one is on hold', () => {
    const { plan } = current();
    assert.equal(plan.take(planOf({ a: remove }), new Set(['a'])).atOnce, false);
    assert.equal(plan.take(planOf({}, ['a']), new Set(['a'])).atOnce, true);
    assert.equal(plan.held, 'too many removals');
  });

  it('enters in the ledger at once what needs no job, but not a folder in which a job runs', () => {
    const { plan, learnt } = current(['d', 'e']);
    plan.inFlight.add('d/f');
    plan.take(
      planOf({ a: { kind: 'agree', entry: FILE }, d: { kind: 'forget' }, e: { kind: 'forget' } }),
      'all',
    );
    assert.deepEqual(
      [...learnt],
      [
        ['a', FILE],
        ['e', undefined],
      ],
    );
    assert.equal(plan.pending.size, 0);
  });

  it('reports a path that can not be done, until a plan over everything says no more of it', () => {
    const { plan, retries } = current();
    plan.take(planOf({ a: { kind: 'skip', reason: 'unreadable on Main', failed: true } }), 'all');
    assert.equal(retries.troubles.get('a')?.message, 'unreadable on Main');
    plan.take(planOf({}), 'all');
    assert.equal(retries.troubles.size, 0);
  });

  it('is done with the paths of a job about which nothing is left to decide', () => {
    const { plan, retries } = current();
    const deliver: Decision = {
      kind: 'deliver',
      entry: FILE,
      expect: undefined,
      replacesSpecial: false,
      content: true,
      drift: false,
      reason: 'new',
    };
    plan.take(planOf({ done: deliver, gone: remove, changed: deliver, other: remove }), 'all');
    retries.stale('done', 0);
    const input = inputOf(
      { done: FILE, changed: fileEntry('changed meanwhile') },
      { done: FILE, changed: FILE, other: FILE },
      { done: FILE, changed: FILE, other: FILE },
    );
    assert.deepEqual([...plan.ended(['done', 'gone', 'changed'], input)], ['changed']);
    assert.deepEqual([...plan.pending.keys()], ['changed', 'other']);
    assert.ok(retries.isDue('done', 0));
  });

  it('has a folder judged again after what was in it, unless its turn comes anyway', () => {
    const { plan } = current();
    plan.take(planOf({ 'open/f': remove, 'pending/f': remove, pending: remove, 'same/f': remove }), 'all');
    const folders = { open: FOLDER, pending: FOLDER, same: FOLDER };
    const input = inputOf({ same: FOLDER }, folders, folders);
    assert.deepEqual([...plan.ended(['open/f', 'pending/f', 'same/f'], input)], ['open']);
    assert.deepEqual([...plan.pending.keys()], ['pending']);
  });

  it('knows which files are to be renamed, as of the newest plan', () => {
    const { plan } = current();
    const deliver = (entry: Entry): Decision => ({ ...deliverNew(entry) });
    const other = fileEntry('other');
    plan.take(planOf({ old: remove, new: deliver(FILE) }), 'all');
    const { from, to } = plan.moves;
    assert.deepEqual([[...from], [...to]], [[['new', 'old']], [['old', 'new']]]);
    plan.take(planOf({}), new Set(['nothing']));
    assert.equal(plan.moves.from, from, 'nothing was decided');
    plan.take(planOf({ new: deliver(other) }), new Set(['new']));
    assert.equal(plan.moves.from.size, 0);
    plan.take(planOf({ new: deliver(FILE) }), new Set(['new']));
    assert.equal(plan.moves.from.size, 1);
    plan.take(planOf({}), 'all');
    assert.equal(plan.moves.from.size, 0);
  });

  it('leaves the paths of running jobs until these end', () => {
    const { plan } = current();
    plan.inFlight.add('a');
    assert.deepEqual([...plan.withoutInFlight(['a', 'b'])], ['b']);
  });
});
