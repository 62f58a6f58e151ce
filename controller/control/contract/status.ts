import * as z from 'zod';
import { CONDITION_KINDS } from '../../conditions/condition.ts';
import { count, onlyMds, time } from './common.ts';

const errorReport = z.object({ at: time, path: z.string(), message: z.string() });

const skippedPath = z.object({ path: z.string(), reason: z.string() });

const directoryStatus = z.object({
  name: z.string(),
  inSync: z.boolean(),
  files: count,
  bytes: count,
  pending: count,
  /** Content to be transferred, in both directions; null if an older agent does not report it. */
  pendingBytes: count.nullable(),
  localOnly: count,
  held: z.string().nullable(),
  digest: z.string(),
  /** Paths that are not synchronised with this MDS, and why. */
  skipped: z.array(skippedPath),
});

/** Content in transfer. */
const transfer = z.object({
  directory: z.string(),
  direction: z.enum(['to-mds', 'to-main']),
  /** The first of its files. */
  path: z.string(),
  files: count,
  bytes: count,
  bytesTotal: count,
});

const mdsState = z.enum(['connected', 'disconnected', 'pending', 'never-enrolled', 'revoked']);

const mdsStatus = z.object({
  name: z.string(),
  voipIp: z.string().nullable(),
  address: z.string().nullable(),
  state: mdsState,
  /** While it waits for approval: the fingerprint to compare with the one on the MDS. */
  fingerprint: z.string().nullable(),
  agentVersion: z.string().nullable(),
  connectedSince: time.nullable(),
  lastSeen: time.nullable(),
  clockOffsetMs: z.number().nullable(),
  /** How far behind it is now, milliseconds: grows while the MDS is behind, 0 when in sync; null when unknown. */
  lagMs: count.nullable(),
  /** When it fell behind; null when it is in sync, or unknown. */
  behindSince: time.nullable(),
  inSyncSince: time.nullable(),
  /** How long the last change took from Main's disk to this MDS, milliseconds. */
  lastDeliveryMs: count.nullable(),
  inSync: z.boolean(),
  lastReconcile: z.object({ at: time, ok: z.boolean(), durationMs: count }).nullable(),
  /** When its certificate expires; null if Main has issued none. */
  certificateNotAfter: time.nullable(),
  directories: z.array(directoryStatus),
  reloads: z.array(
    z.object({
      kind: z.enum(['dialplan', 'moh']),
      at: time,
      ok: z.boolean(),
      durationMs: count,
      output: z.string(),
    }),
  ),
  owedReloads: z.array(z.enum(['dialplan', 'moh'])),
  /** Transfer rate to and from it, over the last seconds. */
  bytesPerSecond: count,
  transfers: z.array(transfer),
  errors: z.array(errorReport),
});

/** A key change of Main in progress: the next key, and the MDS that have not received it. */
export const rotationStatus = z.object({
  nextFingerprint: z.string(),
  /** Enrolled MDS that have not received the next key yet. */
  stragglers: z.array(z.string()),
  /** MDS that wait for approval and have not received it yet. */
  unapproved: z.array(z.string()),
});

const mainStatus = z.object({
  listen: z.string(),
  fingerprint: z.string(),
  startedAt: time,
  pausedUntil: time.nullable(),
  directories: z.array(
    z.object({
      name: z.string(),
      path: z.string(),
      files: count,
      bytes: count,
      digest: z.string(),
      held: z.string().nullable(),
      skipped: z.array(skippedPath),
      /** Files that are delivered although Asterisk can't play them, or won't accept them. */
      warnings: z.array(z.object({ path: z.string(), message: z.string() })),
    }),
  ),
  alarms: z.array(z.object({ at: time, message: z.string(), times: count })),
  /** The warnings of all directories; `path` begins with the name of the directory. */
  warnings: z.array(z.object({ path: z.string(), message: z.string() })),
  /** Problems of Main's own disk: a state that can't be written, a directory that can't be read. */
  errors: z.array(errorReport),
  /** XiVO's list of media servers: its source, and why it could not be read the last time. */
  mediaServers: z.object({ source: z.string(), problem: z.string().nullable() }),
  rotation: rotationStatus.nullable(),
});

const cause = z.object({
  kind: z.enum(CONDITION_KINDS),
  severity: z.enum(['critical', 'warning']),
  mds: z.array(z.string()),
  directory: z.string().optional(),
  path: z.string().optional(),
  since: time,
  cause: z.string(),
  action: z.string(),
});

export const status = z.object({
  version: z.string(),
  main: mainStatus,
  mds: z.array(mdsStatus),
  /** Problems, each cause once, worst first, with the affected MDS and the remedy. */
  causes: z.array(cause),
});

/** `status`: Main and every MDS at a glance. */
export const statusContract = {
  status: { args: z.object({ mds: onlyMds }), result: status },
};
