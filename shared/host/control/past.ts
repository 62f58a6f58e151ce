import * as z from 'zod';

const count = z.number().min(0);

/** One entry of `history`. */
export const historyEntry = z.object({
  /** UTC, ISO 8601. */
  at: z.string(),
  mds: z.string(),
  directory: z.string(),
  changeSet: z.string(),
  kind: z.string(),
  detail: z.string(),
  path: z.string().nullable(),
  reason: z.string().nullable(),
  /**
   * `watcher` or `reconcile` for a change found on Main's disk, at once or when all was read again; the name of the MDS that
   * made it; or `command by USER`. `main` in an MDS's own history and in entries of older versions; those may also have null.
   */
  actor: z.string().nullable(),
  bytes: count.nullable(),
  durationMs: count.nullable(),
  /** One id for what one save on Main led to, on all hosts; `rollback` takes it. Null for what follows no save. */
  save: z.string().nullable(),
  /** Grows from entry to entry. */
  number: count,
});

export type HistoryEntry = Readonly<z.output<typeof historyEntry>>;

/** Filters entries. Times are milliseconds since 1970. */
export const historyFilter = {
  limit: z.int().min(1).max(100_000),
  directory: z.string().max(64).optional(),
  path: z.string().max(16_384).optional(),
  changeSet: z.string().max(64).optional(),
  since: z.number().optional(),
  until: z.number().optional(),
  /** Only entries after the one with this number. */
  after: z.number().optional(),
};

/** An item of a trash. */
export const trashItem = z.object({
  host: z.string(),
  id: z.string(),
  directory: z.string(),
  path: z.string(),
  /** When it was replaced or removed: UTC, ISO 8601. */
  at: z.string(),
  reason: z.string(),
  type: z.enum(['file', 'folder', 'link', 'other']),
  bytes: count,
});
export type ListedTrash = Readonly<z.output<typeof trashItem>>;
