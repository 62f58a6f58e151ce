/** One thing that began or ended, as `notify:` hands it out. The fields are stable. */
export type Notification = {
  readonly event: 'begin' | 'end';
  readonly kind: string;
  readonly severity: string;
  /** Empty where it is Main's. */
  readonly mds: string;
  readonly directory: string;
  readonly path: string;
  readonly cause: string;
  readonly action: string;
  /** ISO 8601, UTC. */
  readonly since: string;
  /** How long it lasted, at its end. */
  readonly lastedSeconds?: number;
};
