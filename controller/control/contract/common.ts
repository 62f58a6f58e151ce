import * as z from 'zod';
import { contextChange } from '#protocol/messages/answers.ts';

/** UTC, ISO 8601. */
export const time = z.string();
export const mdsName = z.string().max(256);
/** Only this MDS; all MDS if absent. */
export const onlyMds = mdsName.optional();
/** A path as users write it: absolute, or directory/path. */
export const writtenPath = z.string().max(16_384);
export const count = z.number().min(0);

export const action = z.object({
  directory: z.string(),
  action: z.enum(['send', 'receive', 'remove', 'restore', 'mkdir', 'link', 'hold', 'skip', 'conflict']),
  path: z.string(),
  bytes: count,
  reason: z.string(),
});

/** The extensions that a dry run would change, with their priority, such as `100,1`. */
export const dialplanChange = z.object({
  directory: z.string(),
  contexts: z.array(contextChange),
  /** Number of contexts that are not listed. */
  moreContexts: count,
});

/** The result of a pass at one MDS. */
export const mdsPass = z.object({
  name: z.string(),
  ok: z.boolean(),
  actions: z.array(action),
  /** The reason when not ok, as text for people. */
  problems: z.array(z.string()),
});
