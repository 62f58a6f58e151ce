import type { NumberedRow } from '#sync/state/history.ts';
import type { Conflict, RecentChangeSet } from './overview.ts';
import { isFile, pathOf, savesIn } from './saves.ts';

/** Change sets, and conflicts, that the first page lists. */
const MOST = 30;
const MOST_CONFLICTS = 10;
/** Rows of the history that are looked through for them: one change set may have thousands. */
export const ROWS = 2_000;
/** Paths that are named of each. */
const PATHS = 3;

/**
 * The newest changes, each save once, wherever it was carried out. Pure.
 * @param rows the history's newest rows, newest first
 */
export function recentChangeSets(rows: readonly NumberedRow[]): RecentChangeSet[] {
  return savesIn(rows)
    .slice(0, MOST)
    .map(({ ids, first, directory, rows: all }) => {
      const actions: Record<string, number> = {};
      // On three MDS a path is one path.
      const files = all.filter(isFile);
      const byPath = new Map(files.map((row) => [`${row.kind}\u0000${pathOf(row)}`, row]));
      for (const { kind } of byPath.values()) actions[kind] = (actions[kind] ?? 0) + 1;
      const paths = [...new Set(files.map(pathOf))];
      return {
        id: ids[0] ?? '',
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

/** The newest recordings that both sides had changed. */
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

/** By whom: `watcher` or `reconcile` for a change on Main's disk, an MDS, or who gave a command. */
export function actorsOf(rows: readonly NumberedRow[]): string[] {
  return [...new Set(rows.flatMap(({ actor }) => actor ?? []))].toSorted();
}
