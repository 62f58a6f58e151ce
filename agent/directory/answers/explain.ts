import type { PlannedAction } from '#protocol/messages/common.ts';
import type { Entry } from '#core/manifest/entry.ts';
import { actionOf } from '#core/plan/action.ts';
import type { Decision } from '#core/plan/decision.ts';
import type { Plan } from '#core/plan/plan.ts';
import type { ContextChange } from '#core/dialplan/summary.ts';
import { isAboutAnother, waitsWith } from '#core/waits.ts';
import type { Obstacle } from '../reconciler.ts';

/** The result of a pass over one directory. */
export type DirectoryPass = { readonly ok: boolean; readonly actions: PlannedAction[] };

/** The actions, and their effect for callers if the directory is a dialplan. */
export type DryRun = DirectoryPass & {
  /** The reason of a hold. */
  readonly held: string | undefined;
  readonly dialplan: readonly ContextChange[];
};

/** The result of `why` for one path on this MDS. */
export type Explanation = {
  /** The planner's decision. */
  readonly decision: Decision;
  readonly main: string;
  readonly mds: string;
  readonly ledger: string;
  /** Neither side has it, and the ledger does not either. */
  readonly isNowhere: boolean;
  /** The pattern that excludes its name. */
  readonly excludedBy?: string;
  /** What prevents it: a hold, a refused change set, a failed attempt. */
  readonly obstacle?: string;
};

/** A plan as text, one line for each file. */
export function actionsOfPlan(directory: string, { decisions, held, heldPaths }: Plan): PlannedAction[] {
  const actions = [...decisions].flatMap(([path, decision]) => actionOf(directory, path, decision) ?? []);
  if (held === undefined) return actions;
  const waiting = heldPaths.length > 0 ? heldPaths : [''];
  return [
    ...actions,
    ...waiting.map((path) => ({ directory, action: 'hold' as const, path, bytes: 0, reason: held })),
  ];
}

/** The same actions, with what prevents them. */
export function withObstacles(
  actions: readonly PlannedAction[],
  obstacleOf: (path: string) => Obstacle | undefined,
): PlannedAction[] {
  return actions.map((planned) => {
    const obstacle = planned.action === 'hold' ? undefined : obstacleOf(planned.path);
    return obstacle === undefined ? planned : { ...planned, ...obstacle, bytes: 0 };
  });
}

/**
 * What would prevent an atomic set: the findings of a rehearsal, a failed attempt, and for all others that they belong
 * to the same set.
 * @param tried results of earlier attempts; the refusal of an older set does not count
 * @param rehearsed the rehearsal's reason for each path that stays out
 */
export function obstaclesOfSet(
  paths: Iterable<string>,
  tried: (path: string) => Obstacle | undefined,
  rehearsed: ReadonlyMap<string, string>,
): Map<string, Obstacle> {
  const found = new Map<string, Obstacle>();
  const free: string[] = [];
  for (const path of paths) {
    const reason = rehearsed.get(path);
    const failed = tried(path);
    if (reason !== undefined) found.set(path, { action: 'hold', reason });
    else if (failed?.action === 'skip') found.set(path, failed);
    else free.push(path);
  }
  const failures = [...found].filter(([, { action }]) => action === 'skip');
  const [culprit, why] = failures.find(([, { reason }]) => !isAboutAnother(reason)) ?? failures[0] ?? [];
  if (culprit === undefined) return found;
  for (const path of free) found.set(path, { action: 'hold', reason: waitsWith(culprit, why?.reason) });
  return found;
}

/**
 * True when part of it would not be done. Paths that are never synchronised (a socket, a link that leads outside) do
 * not count.
 */
export function isHindered(
  { decisions }: Plan,
  actions: readonly PlannedAction[],
  planned: readonly PlannedAction[],
): boolean {
  for (const decision of decisions.values()) if (decision.kind === 'skip' && decision.failed) return true;
  return actions.some(({ action }, i) => action === 'hold' || action !== planned[i]?.action);
}

/** Description of the entry at a path. */
export function describe(entry: Entry | undefined, kind: string | undefined): string {
  if (entry === undefined) return kind ?? 'nothing';
  if (entry.type === 'file') return `file ${entry.size} bytes, sha256 ${entry.hash.slice(0, 12)}…`;
  return entry.type === 'link' ? `link to ${entry.target}` : 'folder';
}
