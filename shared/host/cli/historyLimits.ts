/** Change sets that a glance at the latest shows. */
export const LATEST = 50;

/** Most files that are read for what is shown, unless more change sets are asked for than these can hold. */
export const FILES = 10_000;

export const LIMIT_OPTION = [
  '--limit <n>',
  `show at most the N most recent change sets, with --json files (default: ${LATEST}; with --since ${FILES} files)`,
] as const;
