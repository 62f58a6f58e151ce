/** Anyone who reaches the port can ask to enrol, so what that leaves on Main has an end. */
export const MOST_PENDING = 1000;

/** One address, by accident or not, must not take all the places. */
export const MOST_PENDING_FROM_ONE_ADDRESS = 20;

export const MOST_TOKENS = 1000;

/** In ms. A token is a key to the house: one that nobody used for a year is a mistake. */
export const LONGEST_TOKEN_MS = 365 * 86_400_000;

/** Beyond this the oldest are forgotten; a forgotten key is as little admitted as a revoked one. */
export const MOST_REVOKED = 1000;

/** How long a used or expired token is remembered, in ms, so that using it again is recognised as just that. */
export const SPENT_TOKEN_KEPT_MS = 30 * 86_400_000;
