import type { PlannedAction } from '#protocol/messages/common.ts';
import { pagesOf } from '#protocol/pages.ts';
import type { Outcome } from '#core/changeSet.ts';
import { actionOf, displaces, undoesOwn } from '#core/plan/action.ts';
import type { Decision } from '#core/plan/decision.ts';
import type { Logger } from '#host/log/logger.ts';
import type { SyncDirectory } from '#sync/directory/syncDirectory.ts';
import type { AgentSession } from '../../connection/agentSession.ts';

/** Most files of a change set that are logged one by one: what was edited here and is not any more, and what failed. */
const MAX_LOGGED = 20;

export type Announcing = {
  readonly sync: Pick<SyncDirectory, 'name'>;
  readonly log: Logger;
};

/** Tells Main and the log of a change set that was carried out. Main keeps the history of all MDS. */
export function announce(
  { sync, log }: Announcing,
  session: AgentSession,
  changeSet: string | undefined,
  actions: readonly PlannedAction[],
  { summary = '', durationMs }: { summary?: string | undefined; durationMs?: number } = {},
): void {
  if (changeSet === undefined || actions.length === 0) return;
  const { name: directory } = sync;
  const takesTime = durationMs !== undefined && session.mainCapabilities.has('durations');
  const isSaid = summary !== '' && session.mainCapabilities.has('dialplan-summary');
  for (const [number, page] of [...pagesOf(actions)].entries()) {
    const dialplan = isSaid && number === 0 ? { dialplan: summary } : {};
    const took = takesTime && { durationMs: Math.round(durationMs) };
    session.send({ type: 'applied', directory, changeSet, actions: page, ...dialplan, ...took });
  }
  for (const each of actions.filter(undoesOwn).slice(0, MAX_LOGGED)) {
    const { path, reason } = each;
    const edit = displaces(each) && { edit: `in the trash: xivo-xds-sync-agent diff ${directory}/${path}` };
    log.info(each.action === 'restore' ? 'drift undone' : 'own version replaced', { path, reason, ...edit });
  }
  log.info('applied', { changes: actions.length, changeSet, ...(summary !== '' && { dialplan: summary }) });
}

/** A file of a change set that could not be synchronised, and why. */
export type Failed = { readonly path: string; readonly reason: string };

/**
 * Logs what failed file by file; of a larger set one file for each reason, and how many others have it: all of a set may
 * fail because of one of them, or of the disk, and again when it is retried.
 */
export function logFailed(log: Logger, failed: readonly Failed[]): void {
  const areMany = failed.length > MAX_LOGGED;
  const groups = Map.groupBy(failed, ({ path, reason }) => (areMany ? reason : path));
  for (const [first, ...others] of groups.values().take(MAX_LOGGED))
    log.warn('file could not be synchronised', {
      ...first,
      ...(others.length > 0 && { others: others.length }),
    });
}

/** The actions that a job's outcomes amount to, as the history shows them. */
export function actionsOf(
  directory: string,
  items: ReadonlyMap<string, Decision>,
  outcomes: readonly Outcome[],
): PlannedAction[] {
  return outcomes.flatMap(({ step, result }) => {
    if (result !== 'done') return [];
    const paths = step.kind === 'move' ? [step.path, step.from] : [step.path];
    return paths.flatMap((path) => {
      const decision = items.get(path);
      const action = decision && actionOf(directory, path, decision);
      // A renamed file was not transferred.
      return action === undefined ? [] : step.kind === 'move' ? { ...action, bytes: 0 } : action;
    });
  });
}
