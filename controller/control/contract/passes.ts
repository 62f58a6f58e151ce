import * as z from 'zod';
import { whyFacts } from '#protocol/messages/answers.ts';
import { count, dialplanChange, mdsPass, onlyMds, writtenPath } from './common.ts';

const passes = z.object({ mds: z.array(mdsPass) });
const dryRuns = z.object({ mds: z.array(mdsPass.extend({ dialplan: z.array(dialplanChange) })) });

const hostVerification = z.object({
  name: z.string(),
  ok: z.boolean(),
  files: count,
  bytes: count,
  differences: z.array(z.object({ directory: z.string(), path: z.string(), reason: z.string() })),
  problems: z.array(z.string()),
});

const whyAnswer = z.object({
  directory: z.string(),
  path: z.string(),
  /** An override or an excluded name: the same on every host. */
  rule: z.string().nullable(),
  /** The last change on Main: who made it, and the save's id by which the history of every host names it. Null where it is not known. */
  change: z.object({ actor: z.string(), save: z.string() }).nullable(),
  mds: z.array(
    z.object({
      name: z.string(),
      ok: z.boolean(),
      facts: whyFacts.nullable(),
      problems: z.array(z.string()),
    }),
  ),
});

/** Passes over the MDS: `sync`, `sync --dry-run`, `verify`, `why`, `confirm`. */
export const passesContract = {
  sync: { args: z.object({ mds: onlyMds }), result: passes },
  plan: { args: z.object({ mds: onlyMds }), result: dryRuns },
  confirm: {
    args: z.object({ directory: z.string(), mds: onlyMds, dryRun: z.boolean() }),
    result: z.object({
      /** The holds on Main and on each MDS; empty when there were none, and nothing was confirmed. */
      held: z.array(z.object({ host: z.string(), reason: z.string(), paths: z.array(z.string()) })),
      mds: z.array(mdsPass),
    }),
  },
  verify: {
    args: z.object({ mds: onlyMds }),
    result: z.object({ main: hostVerification, mds: z.array(hostVerification) }),
  },
  why: { args: z.object({ path: writtenPath, mds: onlyMds }), result: whyAnswer },
};
