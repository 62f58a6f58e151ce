import type { HistoryEntry } from '../control/past.ts';
import { numberOption, timeOption } from './options.ts';
import { newestSets, printSets } from './output/historyLines.ts';
import { print } from './output/terminal.ts';
import { FILES, LATEST } from './historyLimits.ts';

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

/** Most files that the daemons give. */
const MAX_FILES = 100_000;
/** How many files a change set is taken to have, where more change sets are asked for than usual. */
const FILES_OF_EACH = 200;
/** Paths of one change set that are listed; `--path`, `--changeset` and `--json` show all. */
export const MAX_PATHS = 10;

/** The entries that are asked for. @throws UsageError that names the option */
export function askedEntries(options: HistoryOptions) {
  return {
    directory: options.directory,
    path: options.path,
    changeSet: options.changeset,
    ...(options.since !== undefined && { since: timeOption(options.since, '--since') }),
    ...(options.until !== undefined && { until: timeOption(options.until, '--until') }),
    limit: filesOf(options),
  };
}

/** People count change sets, and programs files, which are what `--json` prints. */
function filesOf(options: HistoryOptions): number {
  const given = limitOf(options);
  if (options.json === true) return given ?? (options.since === undefined ? LATEST : FILES);
  return Math.min(MAX_FILES, Math.max(FILES, (given ?? 0) * FILES_OF_EACH));
}

function limitOf({ limit }: HistoryOptions): number | undefined {
  return limit === undefined ? undefined : numberOption(limit, '--limit', { min: 1, max: MAX_FILES });
}

/** The entries, newest first, of as many change sets as are to be shown. */
export function shownEntries(entries: readonly HistoryEntry[], options: HistoryOptions): HistoryEntry[] {
  const most = limitOf(options) ?? (options.since === undefined ? LATEST : Infinity);
  return newestSets(entries, most);
}

/** Prints entries for people; those that were asked for by path or change set in full. Says when there may be more. */
export function printHistory(
  entries: readonly HistoryEntry[],
  options: HistoryOptions,
  program: string,
): void {
  const shown = shownEntries(entries, options);
  const isWhole = options.path !== undefined || options.changeset !== undefined;
  printSets(shown, isWhole ? Infinity : MAX_PATHS, program);
  if (entries.length === 0) print('no entries');
  // Without --since everything before the latest is meant to be left out.
  const isCut = shown.length < entries.length;
  if (entries.length >= filesOf(options) && !isCut)
    print(`only the ${entries.length} most recent files: --limit or --until shows others`);
  else if (isCut && options.since !== undefined)
    print(`only the ${options.limit} most recent change sets of that time: --limit shows more`);
}
