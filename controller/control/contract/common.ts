import * as z from 'zod';
import { contextChange } from '#protocol/messages/answers.ts';

/** UTC, ISO 8601. */
export const time = z.string();
export const mdsName = z.string().max(256);
/** Only this MDS; all of them when left out. */
export const onlyMds = mdsName.optional();
/** A path as people write it: absolute, or directory/path. */
export const writtenPath = z.string().max(16_384);
export const count = z.number().min(0);

export const action = z.object({
  directory: z.string(),
  action: z.enum(['send', 'receive', 'remove', 'restore', 'mkdir', 'link', 'hold', 'skip', 'conflict']),
  path: z.string(),
  bytes: count,
  reason: z.string(),
});

/** What a dry run would change for those who call into a dialplan: extensions with their priority, as `100,1`. */
export const dialplanChange = z.object({
  directory: z.string(),
  contexts: z.array(contextChange),
  /** Contexts that are not named, since there are too many. */
  moreContexts: count,
});

/** What a pass came to at one MDS. */
export const mdsPass = z.object({
  name: z.string(),
  ok: z.boolean(),
  actions: z.array(action),
  /** Why it is not ok, for people. */
  problems: z.array(z.string()),
});
