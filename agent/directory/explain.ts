import type { PlannedAction } from '#protocol/messages/common.ts';
import type { Entry } from '#core/manifest/entry.ts';
import { actionOf } from '#core/plan/action.ts';
import type { Decision } from '#core/plan/decision.ts';
import type { Plan } from '#core/plan/plan.ts';
import type { ContextChange } from '#core/dialplan/summary.ts';
import { isAboutAnother, waitsWith } from '#core/waits.ts';
import type { Obstacle } from './reconciler.ts';

/** What a pass over one directory did, or would do. */
export type DirectoryPass = { readonly ok: boolean; readonly actions: PlannedAction[] };

/** What it would do, and what that changes for callers where Asterisk reads the directory as a dialplan. */
export type DryRun = DirectoryPass & {
  /** Why something waits for a person. */
  readonly held: string | undefined;
  readonly dialplan: readonly ContextChange[];
};

/** What `why` says of one path on this MDS. */
export type Explanation = {
  /** The planner's word. */
  readonly decision: Decision;
  readonly main: string;
  readonly mds: string;
  readonly ledger: string;
  /** Neither side has it, nor ever agreed on it. */
  readonly isNowhere: boolean;
  /** The pattern that leaves its name out. */
  readonly excludedBy?: string;
  /** Why it does not happen: a hold, a refused change set, a failed try. */
  readonly obstacle?: string;
};

/** A plan as people see it, a line a file. */
export function actionsOfPlan(directory: string, { decisions, held, heldPaths }: Plan): PlannedAction[] {
  const actions = [...decisions].flatMap(([path, decision]) => actionOf(directory, path, decision) ?? []);
  if (held === undefined) return actions;
  const waiting = heldPaths.length > 0 ? heldPaths : [''];
  return [
    ...actions,
    ...waiting.map((path) => ({ directory, action: 'hold' as const, path, bytes: 0, reason: held })),
  ];
}

/** The same actions, those that something is in the way of with what it is. */
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
 * What would be in the way of a set that becomes visible as a whole or not at all: what a rehearsal found, a failed try,
 * and for all others that they belong to a set with what failed.
 *
 * @param tried what came of earlier tries; that an older set was refused says nothing about this one
 * @param rehearsed what a rehearsal of this one came to, for each path that stays out
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

/** True when something of it would not be done. What never travels (a socket, a link that leads outside) is none of that. */
export function isHindered(
  { decisions }: Plan,
  actions: readonly PlannedAction[],
  planned: readonly PlannedAction[],
): boolean {
  for (const decision of decisions.values()) if (decision.kind === 'skip' && decision.failed) return true;
  return actions.some(({ action }, i) => action === 'hold' || action !== planned[i]?.action);
}

/** What is at a path, in words. */
export function describe(entry: Entry | undefined, kind: string | undefined): string {
  if (entry === undefined) return kind ?? 'nothing';
  if (entry.type === 'file') return `file ${entry.size} bytes, sha256 ${entry.hash.slice(0, 12)}…`;
  return entry.type === 'link' ? `link to ${entry.target}` : 'folder';
}
