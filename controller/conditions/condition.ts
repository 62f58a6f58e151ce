/** What can be wrong, for people and for monitoring. The names are stable: alert rules and `notify:` use them. */
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

/** `critical`: calls may already be affected, or soon will be. `warning`: a person should look at it today. */
export type Severity = 'critical' | 'warning';

/** Something that is wrong now. Two conditions with the same key are the same one, seen at different times. */
export type Condition = {
  readonly key: string;
  readonly kind: ConditionKind;
  readonly severity: Severity;
  /** The MDS where it is so; absent where it is Main's. */
  readonly mds?: string;
  readonly directory?: string;
  readonly path?: string;
  /** What is wrong, as one sentence without a full stop. */
  readonly cause: string;
  /** What to do about it. */
  readonly action: string;
};

/** A condition with the time since when it is so, milliseconds since 1970. */
export type StandingCondition = Condition & { readonly since: number };

/** One cause, with everybody whom it concerns: what a person reads once, though ten MDS have it. */
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
