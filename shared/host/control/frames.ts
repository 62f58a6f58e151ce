import * as z from 'zod';
import type { Progress } from './contract.ts';

/** The request, one line. */
export const requestSchema = z.object({
  command: z.string().max(64),
  args: z.record(z.string(), z.unknown()),
  /** True when the client accepts `progress` and `alive` lines before the answer. */
  follow: z.boolean().optional(),
  /** The user, for the history. It is trusted, since only root can reach the socket. */
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

/** The response: any number of `alive` and `progress` lines, then one answer. */
export const replySchema = z.union([
  z.object({ alive: z.literal(true) }),
  z.object({ progress: progressSchema }),
  z.object({ error: z.string(), exitCode: z.number() }),
  z.object({ result: z.unknown() }),
]);

export type Reply = z.infer<typeof replySchema>;

/** Interval of `alive` lines during a long command, milliseconds. */
export const ALIVE_EVERY = 2_000;
/** Silence after which a client gives up a daemon as hanging, milliseconds. */
export const SILENT_AFTER = 15_000;
