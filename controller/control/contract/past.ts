import * as z from 'zod';
import { historyEntry, historyFilter, trashItem } from '#host/control/past.ts';
import { action, mdsPass, onlyMds, writtenPath } from './common.ts';

const rolledBack = z.object({
  /** The first change set that is undone; all later ones are undone, too. */
  changeSet: z.string(),
  directory: z.string(),
  /** The steps on Main. */
  actions: z.array(action),
  /** Main's new change set, as in its history and trash; null when nothing was changed. */
  by: z.string().nullable(),
  /** Paths that changed at the same time, or could not be written. */
  problems: z.array(z.string()),
  mds: z.array(mdsPass),
});

/** History, restoring and undoing: `history`, `trash`, `rollback`. */
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
      /** From the trash of this MDS; from Main's older versions if absent. */
      mds: onlyMds,
      /** Restore to Main, and so everywhere. */
      toMain: z.boolean().optional(),
      /** The version of this time, milliseconds since 1970. */
      at: z.number().optional(),
      dryRun: z.boolean(),
    }),
    result: z.object({
      host: z.string(),
      directory: z.string(),
      /** One path for an item of a trash; otherwise the requested paths. */
      path: z.string(),
      /** The item of a trash; null when it came from Main's older versions. */
      id: z.string().nullable(),
      restored: rolledBack.nullable(),
    }),
  },
  rollback: { args: z.object({ changeSet: z.string(), dryRun: z.boolean() }), result: rolledBack },
};
