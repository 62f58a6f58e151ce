import type { NumberedRow } from '#sync/state/history.ts';
import type { RecentChangeSet } from './overview.ts';

/** Change sets that the first page lists. */
const MOST = 30;
/** Rows of the history that are looked through for them: one change set may have thousands. */
export const ROWS = 2_000;
/** Paths that are named of each. */
const PATHS = 3;

/**
 * The newest change sets, each once, wherever it was carried out. Pure.
 * @param rows the history's newest rows, newest first
 */
export function recentChangeSets(rows: readonly NumberedRow[]): RecentChangeSet[] {
  const sets = new Map<string, { first: number; mds: Set<string>; directory: string; rows: NumberedRow[] }>();
  for (const row of rows) {
    if (row.changeSet === '') continue;
    const known = sets.get(row.changeSet);
    if (known === undefined && sets.size === MOST) continue;
    const set = known ?? { first: row.at, mds: new Set(), directory: row.directory, rows: [] };
    set.first = Math.min(set.first, row.at);
    if (row.mds !== '') set.mds.add(row.mds);
    set.rows.push(row);
    sets.set(row.changeSet, set);
  }
  return [...sets].map(([id, { first, mds, directory, rows: all }]) => {
    const actions: Record<string, number> = {};
    // On three MDS a path is one path.
    const byPath = new Map(all.map((row) => [`${row.kind}\u0000${pathOf(row)}`, row]));
    for (const { kind } of byPath.values()) actions[kind] = (actions[kind] ?? 0) + 1;
    const paths = [...new Set(all.map(pathOf))];
    return {
      id,
      directory,
      at: new Date(first).toISOString(),
      mds: [...mds].toSorted(),
      actions,
      paths: paths.slice(0, PATHS),
      count: paths.length,
    };
  });
}

/** A row of an older version has its path at the beginning of its detail. */
export function pathOf({ path, detail }: NumberedRow): string {
  return path ?? detail.replace(/: .*$/s, '');
}
