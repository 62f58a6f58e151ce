import * as z from 'zod';
import { difference, textDifference } from '#host/control/differences.ts';
import { count, mdsName, mdsPass, writtenPath } from './common.ts';

/** What an MDS has otherwise than Main, and making it the same either way: `diff`, `adopt`, `revert`, `prune`. */
export const differencesContract = {
  diff: {
    args: z.object({ mds: mdsName, path: writtenPath.optional() }),
    result: z.object({
      name: z.string(),
      differences: z.array(difference),
      /** How many are not listed. */
      more: count,
      /** Of files at or below the path that was asked for; empty without one. */
      contents: z.array(textDifference),
      problems: z.array(z.string()),
    }),
  },
  adopt: {
    args: z.object({ mds: mdsName, path: writtenPath, dryRun: z.boolean() }),
    result: z.object({
      name: z.string(),
      directory: z.string(),
      /** What goes to Main; empty when Main has it as the MDS has. */
      files: z.array(difference),
      /** Main's change set, for `rollback`; null when nothing was changed. */
      by: z.string().nullable(),
      mds: z.array(mdsPass),
    }),
  },
  revert: {
    args: z.object({ mds: mdsName, path: writtenPath, dryRun: z.boolean() }),
    result: z.object({
      name: z.string(),
      directory: z.string(),
      /** Where Main's version comes (or came) back; empty when the MDS has Main's already. */
      files: z.array(difference),
      /** What is still otherwise afterwards. */
      left: z.array(difference),
      mds: z.array(mdsPass),
    }),
  },
  prune: {
    args: z.object({
      mds: mdsName,
      path: writtenPath.optional(),
      dryRun: z.boolean(),
      /** `digest` of what the person was shown: when something else is there by now, nothing is removed. */
      shown: z.string().max(64).optional(),
    }),
    result: z.object({
      name: z.string(),
      files: z.array(difference),
      more: count,
      digest: z.string(),
      removed: z.array(z.object({ directory: z.string(), path: z.string() })),
      problems: z.array(z.string()),
    }),
  },
};
