import type { AgentReport } from '#protocol/messages/session.ts';
import type { Cause } from '../conditions/condition.ts';
import type { Alarm } from '../daemon/alarms.ts';

export type MdsState = 'connected' | 'disconnected' | 'pending' | 'never-enrolled' | 'revoked';

export type DirectoryStatus = {
  readonly name: string;
  readonly inSync: boolean;
  readonly files: number;
  readonly bytes: number;
  readonly pending: number;
  readonly localOnly: number;
  readonly held: string | null;
  readonly digest: string;
};

export type MdsStatus = {
  readonly name: string;
  readonly voipIp: string | null;
  readonly address: string | null;
  readonly state: MdsState;
  /** While it waits for approval: what must be the same on its own screen. */
  readonly fingerprint: string | null;
  readonly agentVersion: string | null;
  /** When its certificate ends; null where Main has issued none. */
  readonly certificateNotAfter: string | null;
  readonly connectedSince: string | null;
  readonly lastSeen: string | null;
  readonly clockOffsetMs: number | null;
  readonly lagMs: number | null;
  readonly inSync: boolean;
  readonly lastReconcile: AgentReport['lastReconcile'];
  readonly directories: readonly DirectoryStatus[];
  readonly reloads: AgentReport['reloads'];
  readonly owedReloads: AgentReport['owedReloads'];
  readonly errors: AgentReport['errors'];
};

/** A change of Main's key that has begun: the key to come, and the MDS that don't know it yet. */
export type RotationStatus = {
  readonly nextFingerprint: string;
  /** Enrolled MDS that do not know the next key yet. */
  readonly stragglers: readonly string[];
  /** MDS that wait for approval and do not know it yet. */
  readonly unapproved: readonly string[];
};

export type Status = {
  readonly version: string;
  readonly main: {
    readonly listen: string;
    readonly fingerprint: string;
    readonly startedAt: string;
    readonly pausedUntil: string | null;
    readonly directories: readonly {
      readonly name: string;
      readonly path: string;
      readonly files: number;
      readonly bytes: number;
      readonly digest: string;
      readonly held: string | null;
      readonly skipped: readonly { readonly path: string; readonly reason: string }[];
      /** Files that travel all the same, but that Asterisk can't play as they are. */
      readonly warnings: readonly { readonly path: string; readonly message: string }[];
    }[];
    readonly alarms: readonly Alarm[];
    /** What is wrong with Main's own disk: the state that can't be written, a directory that can't be read. */
    readonly errors: AgentReport['errors'];
    /** XiVO's own list of media servers: where it comes from, and why it could not be read the last time. */
    readonly mediaServers: { readonly source: string; readonly problem: string | null };
    readonly rotation: RotationStatus | null;
  };
  readonly mds: readonly MdsStatus[];
  /** What is wrong, each cause once, worst first: with the MDS that it concerns, and what to do. `since` is ISO 8601, UTC. */
  readonly causes: readonly (Omit<Cause, 'since'> & { readonly since: string })[];
};

/** A status before anybody has judged it. */
export type Facts = Omit<Status, 'causes'>;
