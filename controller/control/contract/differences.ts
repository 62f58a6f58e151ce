import * as z from 'zod';
import { count, mdsName, mdsPass, time, writtenPath } from './common.ts';

const difference = z.object({
  /** See `difference` in protocol/messages/answers.ts: what each word means. */
  kind: z.enum(['local', 'override', 'excluded', 'drift', 'replaced', 'pending', 'skipped']),
  directory: z.string(),
  path: z.string(),
  type: z.enum(['file', 'folder', 'link', 'other']),
  bytes: count,
  /** Since when the MDS's own version lies in its trash, and under which id; null for what differs now. */
  at: time.nullable(),
  item: z.string().nullable(),
  reason: z.string().nullable(),
});

/** What changes from Main's text to the MDS's. */
const textDifference = z.object({
  directory: z.string(),
  path: z.string(),
  lines: z.array(z.object({ sign: z.enum(['+', '-', ' ']), text: z.string() })),
  /** Lines that are left out. */
  more: count,
  /** Why there is no text to be compared. */
  note: z.string().nullable(),
});

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
