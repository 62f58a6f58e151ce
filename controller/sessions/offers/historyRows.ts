import type { ChangeSet, Outcome } from '#core/changeSet.ts';
import type { HistoryRow } from '#sync/state/history.ts';
import type { Grant } from './grant.ts';

/** History rows of a change set of accepted offers, one for each completed step. */
export function recordOf(
  mds: string,
  directory: string,
  changeSet: ChangeSet,
  outcomes: readonly Outcome[],
  conflicts: ReadonlySet<string>,
  now: number,
  grant?: Grant,
): HistoryRow[] {
  return outcomes.flatMap(({ step, result }) => {
    if (result !== 'done') return [];
    const kind =
      grant?.kind ??
      (conflicts.has(step.path) ? 'conflict' : step.kind === 'remove' ? 'removed on Main' : 'received');
    const actor = grant?.actor ?? mds;
    const detail = `${step.path}: ${step.reason}`;
    const { path, reason } = step;
    const bytes = step.kind === 'put' && step.entry.type === 'file' ? step.entry.size : 0;
    return [
      {
        at: now,
        mds,
        directory,
        changeSet: changeSet.id,
        kind,
        detail,
        path,
        reason,
        bytes,
        actor,
        save: changeSet.id,
      },
    ];
  });
}
