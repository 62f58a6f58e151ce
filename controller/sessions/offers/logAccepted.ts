import type { Logger } from '#host/log/logger.ts';
import type { HistoryRow } from '#sync/state/history.ts';

/** Most files of a change set that are logged one by one; `history` lists all. A line for each of a first pass would fill syslog. */
export const MAX_LOGGED = 20;

/**
 * Logs what Main has accepted of an MDS: file by file, and of a larger set how many there are of each kind. Conflicts are
 * always logged one by one, up to as many.
 * @param rows of the history: what was done
 */
export function logAccepted(log: Logger, rows: readonly HistoryRow[]): void {
  const isLarge = rows.length > MAX_LOGGED;
  for (const [kind, some] of Map.groupBy(rows, (row) => row.kind)) {
    const named = isLarge && kind !== 'conflict' ? [] : some.slice(0, MAX_LOGGED);
    for (const { mds, directory, detail } of named) log.info(kind, { mds, directory, path: detail });
    const [first] = some;
    if (first === undefined || named.length === some.length) continue;
    const { mds, directory, changeSet } = first;
    const bytes = some.reduce((sum, row) => sum + (row.bytes ?? 0), 0);
    log.info(kind, { mds, directory, changes: some.length, bytes, changeSet });
  }
}
