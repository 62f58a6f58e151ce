import * as z from 'zod';
import { time } from './common.ts';
import { rotationStatus } from './status.ts';

const nothing = z.object({});

/** Commands for Main as a whole: `pause`, `resume`, `rotate-identity`. */
export const mainContract = {
  pause: { args: z.object({ forMs: z.number().min(0) }), result: z.object({ until: time }) },
  resume: {
    args: nothing,
    /** Number of files to be sent or fetched now, over all MDS. */
    result: z.object({ wasPaused: z.boolean(), pending: z.number().min(0) }),
  },
  'rotate-begin': { args: nothing, result: rotationStatus },
  'rotate-abandon': { args: nothing, result: nothing },
  'rotate-finish': {
    args: z.object({ leaveBehind: z.boolean() }),
    result: z.object({
      fingerprint: z.string(),
      leftBehind: z.array(z.string()),
      unapproved: z.array(z.string()),
    }),
  },
};
