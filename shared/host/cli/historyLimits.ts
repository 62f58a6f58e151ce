/** A day has more entries than a glance at the latest should show. */
export const LIMITS = { latest: 50, since: 10_000 } as const;

export const LIMIT_OPTION = [
  '--limit <n>',
  `show at most the N most recent entries (default: ${LIMITS.latest}; with --since ${LIMITS.since})`,
] as const;
