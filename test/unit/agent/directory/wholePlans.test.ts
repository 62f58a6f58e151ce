import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { WholePlans } from '../../../../agent/directory/wholePlans.ts';
import type { Entry } from '#core/manifest/entry.ts';
import type { PathState } from '#core/manifest/pathState.ts';
import { isBelow, parentOf } from '#core/path/relative.ts';
import { ChangedPaths } from '#core/plan/changedPaths.ts';
import { plan } from '#core/plan/plan.ts';
import type { PlanInput } from '#core/plan/planInput.ts';
import type { Tree } from '#core/plan/tree.ts';
import { foldersAbove } from '../../../property/model/names.ts';
import { file, folder, inputOf } from '../../../support/unit/planCase.ts';

const PATHS = ['a', 'a/b', 'a/b/c', 'a/d', 'e', 'e/f'];
const v1 = file('v1');
const v2 = file('v2', { mtime: '200' });
const STATES: readonly (PathState | undefined)[] = [
  undefined,
  { kind: 'settled', entry: v1 },
  { kind: 'settled', entry: v2 },
  { kind: 'settled', entry: folder },
  { kind: 'settled', entry: folder },
  { kind: 'special', what: 'a fifo' },
  { kind: 'moving', last: v1 },
  { kind: 'unreadable', errno: 'EIO' },
];

/** A side as the program keeps it: what is in a folder that became unreadable stays known. */
class Table implements Tree {
  held: string | undefined;
  override: string | undefined;
  readonly unplanned = new ChangedPaths();
  readonly #states = new Map<string, PathState>();

  /** Where a path is known, so are the folders above it. */
  set(path: string, state: PathState | undefined): void {
    const isFolder = state?.kind === 'unreadable' || (state?.kind === 'settled' && state.entry === folder);
    if (!isFolder)
      for (const below of this.#states.keys()) if (isBelow(below, path)) this.#put(below, undefined);
    const above = parentOf(path);
    const its = this.#states.get(above);
    if (state !== undefined && above !== '' && its?.kind !== 'unreadable')
      this.set(above, { kind: 'settled', entry: folder });
    this.#put(path, state);
  }

  #put(path: string, state: PathState | undefined): void {
    this.unplanned.note(path);
    if (state === undefined) this.#states.delete(path);
    else this.#states.set(path, state);
  }

  get(path: string): PathState | undefined {
    const state = this.#states.get(path);
    if (state !== undefined) return state;
    for (let above = parentOf(path); above !== ''; above = parentOf(above)) {
      const its = this.#states.get(above);
      if (its !== undefined) return its.kind === 'unreadable' ? its : undefined;
    }
    return undefined;
  }

  paths(): Iterable<string> {
    return this.#states.keys();
  }

  *childrenOf(above: string): Iterable<string> {
    for (const path of this.#states.keys()) if (parentOf(path) === above) yield path;
  }

  holdsOverride(above: string): boolean {
    return this.override !== undefined && isBelow(this.override, above);
  }
}

type Step = {
  readonly what: 'main' | 'mds' | 'ledger' | 'tombstone' | 'override' | 'held';
  at: number;
  to: number;
};

const steps: fc.Arbitrary<Step[][]> = fc.array(
  fc.array(
    fc.record({
      what: fc.constantFrom(
        'main',
        'main',
        'mds',
        'mds',
        'ledger',
        'ledger',
        'tombstone',
        'override',
        'held',
      ),
      at: fc.nat(PATHS.length - 1),
      to: fc.nat(STATES.length - 1),
    }),
    { minLength: 0, maxLength: 4 },
  ),
  { minLength: 2, maxLength: 12 },
);

void describe('A plan over everything', () => {
  for (const direction of ['to-mds', 'both'] as const)
    void it(`decides the same as one that looks at all paths, ${direction}`, () => {
      fc.assert(
        fc.property(steps, fc.constantFrom('main', 'both', 'never'), (all, deletions) => {
          const [main, mds] = [new Table(), new Table()];
          const [ledger, tombstones] = [new Map<string, Entry>(), new Map<string, Entry>()];
          const changedLedger = new ChangedPaths();
          const input: PlanInput = {
            ...inputOf({ direction, deletions: direction === 'both' ? deletions : 'main' }),
            main,
            mds,
            ledger,
            tombstones,
          };
          const plans = new WholePlans({
            mainManifest: main,
            replica: { index: mds },
            agreed: { ledger: { unplanned: changedLedger } },
            owners: { revision: 0 },
          });
          for (const each of all) {
            for (const { what, at, to } of each) {
              const path = PATHS[at] ?? '';
              const state = STATES[to];
              const entry = state?.kind === 'settled' ? state.entry : undefined;
              if (what === 'main' || what === 'mds') (what === 'main' ? main : mds).set(path, state);
              else if (what === 'override') mds.override = to < 4 ? undefined : `${path}/xds_override`;
              else if (what === 'held') mds.held = to === 0 ? 'it is missing' : undefined;
              else {
                const table = what === 'ledger' ? ledger : tombstones;
                const changed = what === 'ledger' ? changedLedger : main.unplanned;
                for (const above of entry === undefined ? [] : foldersAbove(path)) {
                  table.set(above, folder);
                  changed.note(above);
                }
                if (entry === undefined) table.delete(path);
                else table.set(path, entry);
                changed.note(path);
              }
            }
            const { decisions, held, heldPaths } = plans.plan(input);
            const expected = plan(input);
            assert.deepEqual(Object.fromEntries(decisions), Object.fromEntries(expected.decisions));
            assert.deepEqual([held, [...heldPaths].sort()], [expected.held, [...expected.heldPaths].sort()]);
          }
        }),
        { numRuns: 3_000 },
      );
    });

  /** Files of which Main, the MDS and the ledger have the same; and how often a plan looks at one. */
  function inSync(): { plans: WholePlans; looked: () => number; main: Table; owners: { revision: number } } {
    const [main, mds] = [new Table(), new Table()];
    const paths = Array.from({ length: 30 }, (_, number) => `file ${number}`);
    for (const path of paths) for (const side of [main, mds]) side.set(path, { kind: 'settled', entry: v1 });
    const ledger = new Map<string, Entry>(paths.map((path) => [path, v1]));
    const owners = { revision: 0 };
    const plans = new WholePlans({
      mainManifest: main,
      replica: { index: mds },
      agreed: { ledger: { unplanned: new ChangedPaths() } },
      owners,
    });
    const looked = (): number => {
      let looks = 0;
      const get = (path: string): PathState | undefined => {
        looks += 1;
        return main.get(path);
      };
      const counted: Tree = {
        get,
        held: undefined,
        paths: () => main.paths(),
        childrenOf: (above) => main.childrenOf(above),
        holdsOverride: () => false,
      };
      const counting = { ...inputOf({}), main: counted, mds, ledger };
      plans.plan(counting);
      return looks;
    };
    return { plans, looked, main, owners };
  }

  void it('looks at no path when nothing has changed, and at a changed one as long as it is not settled', () => {
    const { looked, main } = inSync();
    const seen = [looked(), looked()];
    main.set('file 1', { kind: 'settled', entry: v2 });
    seen.push(looked(), looked());
    main.set('file 1', { kind: 'settled', entry: v1 });
    seen.push(looked(), looked());
    assert.deepEqual(
      seen.map((looks) => looks > 0),
      [true, false, true, true, true, false],
    );
    assert.ok((seen[2] ?? 0) < (seen[0] ?? 0));
  });

  void it('looks at all paths when too many have changed, and when this host has other owners', () => {
    const { looked, main, owners } = inSync();
    const whole = looked();
    for (let i = 0; i < 1_500; i++) main.unplanned.note(`${i}`);
    assert.equal(looked(), whole);
    assert.equal(looked(), 0);
    owners.revision += 1;
    assert.equal(looked(), whole);
    main.unplanned.noteAll();
    assert.equal(looked(), whole);
  });
});
