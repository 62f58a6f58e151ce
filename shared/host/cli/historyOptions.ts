import type { HistoryEntry } from '../control/past.ts';
import { numberOption, timeOption } from './options.ts';
import { printSets } from './output/historyLines.ts';
import { print } from './output/terminal.ts';
import { LIMITS } from './historyLimits.ts';

/** The options of `history` that both programs have, as typed. */
export type HistoryOptions = {
  readonly directory?: string;
  readonly path?: string;
  readonly changeset?: string;
  readonly since?: string;
  readonly until?: string;
  readonly limit?: string;
  readonly json?: boolean;
};

/** Paths of one change set that are listed; `--path`, `--changeset` and `--json` show all. */
const MAX_PATHS = 10;

/** The entries that are asked for. @throws UsageError that names the option */
export function askedEntries(options: HistoryOptions) {
  return {
    directory: options.directory,
    path: options.path,
    changeSet: options.changeset,
    ...(options.since !== undefined && { since: timeOption(options.since, '--since') }),
    ...(options.until !== undefined && { until: timeOption(options.until, '--until') }),
    limit:
      options.limit === undefined
        ? LIMITS[options.since === undefined ? 'latest' : 'since']
        : numberOption(options.limit, '--limit', { min: 1, max: 100_000 }),
  };
}

/** Prints entries for people; those that were asked for by path or change set in full. Says when there may be more. */
export function printHistory(
  entries: readonly HistoryEntry[],
  options: HistoryOptions,
  program: string,
): void {
  const isWhole = options.path !== undefined || options.changeset !== undefined;
  printSets(entries, isWhole ? Infinity : MAX_PATHS, program);
  if (entries.length === 0) print('no entries');
  // Without --since everything before the latest is meant to be left out.
  const { limit, since } = askedEntries(options);
  if (since !== undefined && entries.length >= limit)
    print(`only the ${limit} most recent entries of that time: --limit shows more`);
}
