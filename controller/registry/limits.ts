/** Most pending requests: anyone who reaches the port can make one. */
export const MOST_PENDING = 1000;

/** Most pending requests of one address, so that it can't use up the others' places. */
export const MOST_PENDING_FROM_ONE_ADDRESS = 20;

export const MOST_TOKENS = 1000;

/** Longest life of a token, ms: a token that is unused for a year is a mistake. */
export const LONGEST_TOKEN_MS = 365 * 86_400_000;

/** Most revoked keys remembered. The oldest ones are dropped; they stay refused as not enrolled. */
export const MOST_REVOKED = 1000;

/** How long a used or expired token is remembered, ms, so that its reuse is recognised. */
export const SPENT_TOKEN_KEPT_MS = 30 * 86_400_000;
