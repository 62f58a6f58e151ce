/** Kinds of problems, for people and for monitoring. The names are stable: alert rules and `notify:` use them. */
export const CONDITION_KINDS = [
  'main-error',
  'alarm',
  'hold',
  'refused-reload',
  'blocked',
  'away',
  'pending-reload',
  'error',
  'behind',
  'certificate',
  'clock',
  'approval',
  'never-enrolled',
  'paused',
] as const;

export type ConditionKind = (typeof CONDITION_KINDS)[number];

/** `critical`: calls are affected, or soon will be. `warning`: a person should look at it today. */
export type Severity = 'critical' | 'warning';

/** A current problem. Two conditions with the same key are the same one, seen at different times. */
export type Condition = {
  readonly key: string;
  readonly kind: ConditionKind;
  readonly severity: Severity;
  /** The affected MDS; absent for Main. */
  readonly mds?: string;
  readonly directory?: string;
  readonly path?: string;
  /** The problem, as one sentence without a full stop. */
  readonly cause: string;
  /** The remedy. */
  readonly action: string;
};

/** A condition with its start, milliseconds since 1970. */
export type StandingCondition = Condition & { readonly since: number };

/** One cause with all affected MDS, so that a person reads it once. */
export type Cause = {
  readonly kind: ConditionKind;
  readonly severity: Severity;
  readonly mds: readonly string[];
  readonly directory?: string;
  readonly path?: string;
  readonly since: number;
  readonly cause: string;
  readonly action: string;
};
