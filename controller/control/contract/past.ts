import * as z from 'zod';
import { historyEntry, historyFilter, trashItem } from '#host/control/past.ts';
import { action, mdsPass, onlyMds, writtenPath } from './common.ts';

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
    args: z.object({ ...historyFilter, mds: onlyMds }),
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
