import type { NumberedRow } from '#sync/state/history.ts';

/** Time within which one save reaches every connected MDS, milliseconds; a disconnected one catches up later. */
export const ONE_SAVE_WITHIN = 60_000;

/** The actions of one change set at one place. */
type ChangeSetRows = { readonly directory: string; first: number; readonly rows: NumberedRow[] };

/** One save on Main: each MDS carries it out as its own change set. */
export type Save = {
  /** The ids of its change sets, the newest first. */
  readonly ids: string[];
  readonly directory: string;
  /** When the first host carried it out, milliseconds since 1970. */
  first: number;
  readonly rows: NumberedRow[];
};

/**
 * Combines the change sets by which several MDS carried out one save: the same paths with the same actions and reasons,
 * at about the same time, each MDS once. Pure.
 * @param rows newest first
 * @returns newest first
 */
export function savesIn(rows: readonly NumberedRow[]): Save[] {
  const sets = new Map<string, ChangeSetRows>();
  for (const row of rows) {
    if (row.changeSet === '') continue;
    const set = sets.get(row.changeSet) ?? { directory: row.directory, first: row.at, rows: [] };
    set.first = Math.min(set.first, row.at);
    set.rows.push(row);
    sets.set(row.changeSet, set);
  }
  const saves: Save[] = [];
  const newest = new Map<string, Save>();
  for (const [id, { directory, first, rows: own }] of sets) {
    const what = JSON.stringify([directory, own.filter(isFile).map(contentOf).toSorted()]);
    const save = newest.get(what);
    const mds = new Set(own.map((row) => row.mds));
    const isSame =
      save !== undefined &&
      save.first - first <= ONE_SAVE_WITHIN &&
      own.some(isFile) &&
      save.rows.every((row) => !mds.has(row.mds));
    if (isSame) {
      save.ids.push(id);
      save.first = Math.min(save.first, first);
      save.rows.push(...own);
      continue;
    }
    const next = { ids: [id], directory, first, rows: [...own] };
    newest.set(what, next);
    saves.push(next);
  }
  return saves;
}

/** The effect for callers has its own row. */
export function isFile({ kind }: NumberedRow): boolean {
  return kind !== 'dialplan';
}

function contentOf(row: NumberedRow): string {
  return JSON.stringify([row.kind, pathOf(row), row.reason, row.bytes, row.actor]);
}

/** A row of an older version has its path at the beginning of its detail. */
export function pathOf({ path, detail }: NumberedRow): string {
  return path ?? detail.replace(/: .*$/s, '');
}
