/** A notification about the beginning or the end of a condition. The fields are a stable surface. */
export type Notification = {
  readonly event: 'begin' | 'end';
  readonly kind: string;
  readonly severity: string;
  /** Empty for a condition of Main. */
  readonly mds: string;
  readonly directory: string;
  readonly path: string;
  readonly cause: string;
  readonly action: string;
  /** ISO 8601, UTC. */
  readonly since: string;
  /** Duration of the condition, at its end. */
  readonly lastedSeconds?: number;
};
