import * as z from 'zod';
import { count, mdsName, onlyMds } from './common.ts';

const named = { args: z.object({ name: mdsName }), result: z.object({ name: z.string() }) };

const listedMds = z.object({
  name: z.string(),
  state: z.enum(['connected', 'disconnected', 'pending', 'never-enrolled', 'revoked']),
  address: z.string().nullable(),
  voipIp: z.string().nullable(),
  agentVersion: z.string().nullable(),
  inSync: z.boolean(),
  fingerprint: z.string().nullable(),
});

const rollOut = z.object({
  version: z.string(),
  mds: z.array(
    z.object({
      name: z.string(),
      result: z.enum(['upgraded', 'current', 'away', 'failed']),
      /** Text for people. */
      words: z.string(),
      /** The version of its agent before; null where it is away. */
      from: z.string().nullable(),
      durationMs: count.nullable(),
    }),
  ),
  /** Duration of the whole upgrade. */
  durationMs: count,
  /** Why the upgrade stopped early, and the MDS that were not upgraded. */
  stopped: z.object({ at: z.string(), reason: z.string(), notBegun: z.array(z.string()) }).nullable(),
});

/** `mds add`, `list`, `approve`, `remove`, `upgrade`. */
export const mdsContract = {
  'mds-add': {
    args: z.object({
      name: mdsName,
      voipIp: z.string().optional(),
      ttlMs: z.number().min(1),
      replace: z.boolean(),
    }),
    result: z.object({ token: z.string() }),
  },
  'mds-list': { args: z.object({}), result: z.object({ mds: z.array(listedMds) }) },
  'mds-approve': named,
  'mds-remove': {
    args: named.args,
    result: named.result.extend({ was: z.enum(['enrolled', 'pending', 'token']) }),
  },
  'mds-forget': named,
  'mds-upgrade': { args: z.object({ mds: onlyMds }), result: rollOut },
};
