import type { Entry } from '../manifest/entry.ts';
import { entryOf } from '../manifest/pathState.ts';
import { isOverride } from '../path/relative.ts';
import { decide } from './decide.ts';
import type { Decision } from './decision.ts';
import { Decisions, type ReadonlyDecisions } from './decisions.ts';
import { fitFolders } from './folders.ts';
import { guardRemovals } from './guard.ts';
import type { PlanInput } from './planInput.ts';
import { scopeOf } from './scope.ts';

/** Most paths that {@link Plan.decided} names. */
const FEW = 1_000;

export type Plan = {
  /** Decisions by path; paths with nothing to do are left out. */
  readonly decisions: ReadonlyDecisions;
  /**
   * The paths about which something was decided, each alone, before folders and the guard were considered; undefined when
   * they are many. About all other planned paths nothing is decided as long as nothing changes about them.
   */
  readonly decided: readonly string[] | undefined;
  /** Why something is on hold, if it is. */
  readonly held: string | undefined;
  /** The removals on hold. */
  readonly heldPaths: readonly string[];
};

/**
 * Decides what one MDS and Main have to do so that they agree on one directory. Pure: the same input gives the
 * same plan, and after a plan was carried out the next one is empty.
 */
export function plan(input: PlanInput): Plan {
  const held = input.main.held ?? input.mds.held;
  if (held !== undefined) return { decisions: new Decisions(), decided: undefined, held, heldPaths: [] };
  const decisions = decideEach(input);
  const decided = decisions.size <= FEW ? [...decisions.keys()] : undefined;
  const replaced = fitFolders(input, decisions);
  const guarded = guardRemovals(decisions, input.budget, replaced, input);
  return { decisions, decided, held: guarded.reason, heldPaths: guarded.paths };
}

function decideEach(input: PlanInput): Decisions {
  const decisions = new Decisions();
  const scope = scopeOf(input);
  for (const [path, decision] of input.standing ?? []) if (!scope.has(path)) decisions.set(path, decision);
  for (const path of scope) {
    if (isOverride(path)) continue;
    const decision = decidePath(input, path);
    if (!leavesAsIs(decision)) decisions.set(path, decision);
  }
  return decisions;
}

/** The decision about one path alone, before folders and the guard are considered. */
export function decidePath(input: Omit<PlanInput, 'paths' | 'budget'>, path: string): Decision {
  const main = input.main.get(path);
  const mds = input.mds.get(path);
  const base = input.ledger.get(path);
  return decide(input.policy, {
    main,
    mds,
    base,
    excludedBy: patternAmong(input.excludes, path, [entryOf(main), entryOf(mds), base]),
    tombstone: input.tombstones.get(path),
    clockOffset: input.clockOffset,
    mainClock: input.mainClocks.get(path) ?? 0n,
  });
}

/** The pattern that excludes a path from the plan, if one does. */
export function excludingPattern(
  { excludes, main, mds, ledger }: Pick<PlanInput, 'excludes' | 'main' | 'mds' | 'ledger'>,
  path: string,
): string | undefined {
  return patternAmong(excludes, path, [entryOf(main.get(path)), entryOf(mds.get(path)), ledger.get(path)]);
}

/** @param known what the sides know of the path */
function patternAmong(
  excludes: PlanInput['excludes'],
  path: string,
  known: readonly (Entry | undefined)[],
): string | undefined {
  return excludes?.patternFor(
    path,
    known.some((entry) => entry?.type === 'folder'),
  );
}

/** True when nothing is to be done about a path: a local file stays as it is, too. */
export function leavesAsIs({ kind }: Decision): boolean {
  return kind === 'nothing' || kind === 'local';
}

/** True when carrying out the decision changes something on disk. */
export function isChange(decision: Decision): boolean {
  return decision.kind !== 'agree' && decision.kind !== 'forget' && decision.kind !== 'skip';
}
