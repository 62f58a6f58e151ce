import * as z from 'zod';
import { action, count, mdsPass, onlyMds, time, writtenPath } from './common.ts';

const historyEntry = z.object({
  at: time,
  mds: z.string(),
  directory: z.string(),
  changeSet: z.string(),
  kind: z.string(),
  detail: z.string(),
  path: z.string().nullable(),
  reason: z.string().nullable(),
  /** `main` for a change made on Main, the name of an MDS, or `command by USER`; null in entries of older versions. */
  actor: z.string().nullable(),
  bytes: count.nullable(),
  durationMs: count.nullable(),
  /** Grows from entry to entry. */
  number: count,
});

const trashItem = z.object({
  host: z.string(),
  id: z.string(),
  directory: z.string(),
  path: z.string(),
  /** When it was replaced or removed. */
  at: time,
  reason: z.string(),
  type: z.enum(['file', 'folder', 'link', 'other']),
  bytes: count,
});

const rolledBack = z.object({
  /** The change set that is undone, with everything after it. */
  changeSet: z.string(),
  directory: z.string(),
  /** What it takes on Main. */
  actions: z.array(action),
  /** Main's own change set, by which its history and its trash know it; null when nothing was changed. */
  by: z.string().nullable(),
  /** Paths that changed in that very moment, or could not be written. */
  problems: z.array(z.string()),
  mds: z.array(mdsPass),
});

/** What was done, and taking it back: `history`, `trash`, `rollback`. */
export const pastContract = {
  history: {
    args: z.object({
      limit: z.int().min(1).max(100_000),
      mds: onlyMds,
      directory: z.string().max(64).optional(),
      path: writtenPath.optional(),
      changeSet: z.string().max(64).optional(),
      /** Milliseconds since 1970. */
      since: z.number().optional(),
      until: z.number().optional(),
      /** Only entries after the one with this number. */
      after: z.number().optional(),
    }),
    result: z.object({ entries: z.array(historyEntry) }),
  },
  'trash-list': {
    args: z.object({ mds: onlyMds }),
    result: z.object({ items: z.array(trashItem), problems: z.array(z.string()) }),
  },
  'trash-restore': {
    args: z.object({
      path: writtenPath,
      as: writtenPath.optional(),
      /** From the trash of this MDS; Main's own versions when left out. */
      mds: onlyMds,
      /** Not there but on Main, and so everywhere. */
      toMain: z.boolean().optional(),
      /** As it was then, milliseconds since 1970. */
      at: z.number().optional(),
      dryRun: z.boolean(),
    }),
    result: z.object({
      host: z.string(),
      directory: z.string(),
      /** One path for an item of a trash; what was asked for otherwise. */
      path: z.string(),
      /** The item of a trash; null when it came from Main's own versions. */
      id: z.string().nullable(),
      restored: rolledBack.nullable(),
    }),
  },
  rollback: { args: z.object({ changeSet: z.string(), dryRun: z.boolean() }), result: rolledBack },
};
