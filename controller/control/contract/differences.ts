import * as z from 'zod';
import { difference, textDifference } from '#host/control/differences.ts';
import { count, mdsName, mdsPass, writtenPath } from './common.ts';

/** The differences between an MDS and Main, and the commands that resolve them: `diff`, `adopt`, `revert`, `prune`. */
export const differencesContract = {
  diff: {
    args: z.object({ mds: mdsName, path: writtenPath.optional() }),
    result: z.object({
      name: z.string(),
      differences: z.array(difference),
      /** Number of entries that are not listed. */
      more: count,
      /** For files at or below the given path; empty without one. */
      contents: z.array(textDifference),
      problems: z.array(z.string()),
    }),
  },
  adopt: {
    args: z.object({ mds: mdsName, path: writtenPath, dryRun: z.boolean() }),
    result: z.object({
      name: z.string(),
      directory: z.string(),
      /** Files that Main takes; empty when Main has the same. */
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
      /** Paths at which Main's version is restored; empty when the MDS already has it. */
      files: z.array(difference),
      /** Differences that remain. */
      left: z.array(difference),
      mds: z.array(mdsPass),
    }),
  },
  prune: {
    args: z.object({
      mds: mdsName,
      path: writtenPath.optional(),
      dryRun: z.boolean(),
      /** `digest` of the list that the person was shown; if it differs now, nothing is removed. */
      shown: z.string().max(64).optional(),
    }),
    result: z.object({
      name: z.string(),
      files: z.array(difference),
      more: count,
      digest: z.string(),
      removed: z.array(z.object({ directory: z.string(), path: z.string() })),
      /** In a dry run: directories in which the MDS would refuse to remove them, with the reason. */
      refusals: z.array(z.object({ directory: z.string(), reason: z.string() })),
      /** Whether the MDS was asked for that; false if its agent has an older version, which can't tell beforehand. */
      rehearsed: z.boolean(),
      problems: z.array(z.string()),
    }),
  },
};
