import type { HistoryEntry } from '../control/past.ts';
import { numberOption, timeOption } from './options.ts';
import { printSets } from './output/historyLines.ts';

/** The options of `history` that both programs have, as typed. */
export type HistoryOptions = {
  readonly directory?: string;
  readonly path?: string;
  readonly changeset?: string;
  readonly since?: string;
  readonly until?: string;
  readonly limit: string;
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
    limit: numberOption(options.limit, '--limit', { min: 1, max: 100_000 }),
  };
}

/** Prints entries for people; those that were asked for by path or change set in full. */
export function printHistory(
  entries: readonly HistoryEntry[],
  { path, changeset }: Pick<HistoryOptions, 'path' | 'changeset'>,
  program: string,
): void {
  const isWhole = path !== undefined || changeset !== undefined;
  printSets(entries, isWhole ? Infinity : MAX_PATHS, program);
}
