import * as z from 'zod';
import type { Progress } from './contract.ts';

/** One line asks. */
export const requestSchema = z.object({
  command: z.string().max(64),
  args: z.record(z.string(), z.unknown()),
  /** The client takes lines that say how far the work is, and that the daemon lives, before the answer. */
  follow: z.boolean().optional(),
  /** Who asks, for the history. Only root can reach the socket, so it is taken at their word. */
  by: z.string().max(200).optional(),
});

const progressSchema = z.object({
  host: z.string(),
  doing: z.string(),
  files: z.number(),
  filesTotal: z.number().nullable(),
  bytes: z.number(),
  bytesTotal: z.number().nullable(),
}) satisfies z.ZodType<Progress>;

/** What comes back, a line each: any number of `alive` and `progress`, then one answer. */
export const replySchema = z.union([
  z.object({ alive: z.literal(true) }),
  z.object({ progress: progressSchema }),
  z.object({ error: z.string(), exitCode: z.number() }),
  z.object({ result: z.unknown() }),
]);

export type Reply = z.infer<typeof replySchema>;

/** How often a daemon that works on a long command says that it lives, milliseconds. */
export const ALIVE_EVERY = 2_000;
/** A daemon that says nothing for this long hangs, milliseconds: its client waits no longer. */
export const SILENT_AFTER = 15_000;
