import type { NumberedRow } from '#sync/state/history.ts';
import type { Conflict, RecentChangeSet } from './overview.ts';
import { isFile, pathOf, savesIn } from './saves.ts';

/** Most change sets, and conflicts, on the first page. */
const MOST = 30;
const MOST_CONFLICTS = 10;
/** Most history rows that are searched for them: one change set may have thousands. */
export const ROWS = 2_000;
/** Most paths listed of each. */
const PATHS = 3;

/**
 * The newest changes, each save once, wherever it was carried out. Pure.
 * @param rows the newest rows of the history, newest first
 */
export function recentChangeSets(rows: readonly NumberedRow[]): RecentChangeSet[] {
  return savesIn(rows)
    .slice(0, MOST)
    .map(({ id, first, directory, rows: all }) => {
      const actions: Record<string, number> = {};
      // A path on three MDS counts once.
      const files = all.filter(isFile);
      const byPath = new Map(files.map((row) => [`${row.kind}\u0000${pathOf(row)}`, row]));
      for (const { kind } of byPath.values()) actions[kind] = (actions[kind] ?? 0) + 1;
      const paths = [...new Set(files.map(pathOf))];
      return {
        id,
        directory,
        at: new Date(first).toISOString(),
        mds: [...new Set(all.map(({ mds }) => mds))].filter((name) => name !== '').toSorted(),
        actors: actorsOf(all),
        dialplan: all.find((row) => !isFile(row))?.detail ?? null,
        actions,
        paths: paths.slice(0, PATHS),
        count: paths.length,
      };
    });
}

/** The newest conflicts. */
export function recentConflicts(rows: readonly NumberedRow[]): Conflict[] {
  return rows
    .filter(({ kind }) => kind === 'conflict')
    .slice(0, MOST_CONFLICTS)
    .map((row) => ({
      at: new Date(row.at).toISOString(),
      mds: row.mds,
      path: `${row.directory}/${pathOf(row)}`,
      reason: row.reason ?? row.detail,
      changeSet: row.changeSet,
    }));
}

/** The actor: `watcher` or `reconcile` for a change on Main's disk, an MDS, or the user of a command. */
export function actorsOf(rows: readonly NumberedRow[]): string[] {
  return [...new Set(rows.flatMap(({ actor }) => actor ?? []))].toSorted();
}
