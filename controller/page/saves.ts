import type { NumberedRow } from '#sync/state/history.ts';

/** What one save on Main led to, on all hosts; or one change set that follows no save. */
export type Save = {
  /** The save's id, or the change set's. */
  readonly id: string;
  readonly directory: string;
  /** When the first host carried it out, milliseconds since 1970. */
  first: number;
  readonly rows: NumberedRow[];
};

/**
 * Puts the rows together that one save led to. Pure.
 * @param rows newest first
 * @returns newest first
 */
export function savesIn(rows: readonly NumberedRow[]): Save[] {
  const saves = new Map<string, Save>();
  for (const row of rows) {
    const id = idOf(row);
    if (id === '') continue;
    const key = `${row.directory}/${id}`;
    const save = saves.get(key) ?? { id, directory: row.directory, first: row.at, rows: [] };
    save.first = Math.min(save.first, row.at);
    save.rows.push(row);
    saves.set(key, save);
  }
  return [...saves.values()];
}

/** Under which id a row is shown. */
export function idOf({ save, changeSet }: NumberedRow): string {
  return save ?? changeSet;
}

/** The effect for callers has its own row. */
export function isFile({ kind }: NumberedRow): boolean {
  return kind !== 'dialplan';
}

/** A row of an older version has its path at the beginning of its detail. */
export function pathOf({ path, detail }: NumberedRow): string {
  return path ?? detail.replace(/: .*$/s, '');
}
