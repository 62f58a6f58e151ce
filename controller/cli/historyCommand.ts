import { setTimeout as sleep } from 'node:timers/promises';
import { formatBytes } from '#core/text/size.ts';
import { EXIT } from '#host/cli/exitCodes.ts';
import { numberOption, timeOption } from '#host/cli/options.ts';
import { print, printJson as printAsJson } from '#host/cli/terminal.ts';
import { localTime } from '#host/time/localTime.ts';
import type { HistoryEntry } from '../control/contract/contract.ts';
import { ask, printJson } from './ask.ts';
import type { Context } from './context.ts';

export type HistoryOptions = {
  readonly mds?: string;
  readonly directory?: string;
  readonly path?: string;
  readonly changeset?: string;
  readonly since?: string;
  readonly until?: string;
  readonly follow?: boolean;
  readonly limit: string;
  readonly json?: boolean;
};

/** How often `--follow` looks for more, milliseconds. */
const FOLLOW_EVERY = 500;
/** Paths of one change set that are listed; `--path`, `--changeset` and `--json` show all. */
const MAX_PATHS = 10;

/** `history`: who did what, when and why; one entry a change set, with what it did on each MDS below it. */
export async function history(context: Context, options: HistoryOptions): Promise<number> {
  const asked = {
    mds: options.mds,
    directory: options.directory,
    path: options.path,
    changeSet: options.changeset,
    ...(options.since !== undefined && { since: timeOption(options.since, '--since') }),
    ...(options.until !== undefined && { until: timeOption(options.until, '--until') }),
    limit: numberOption(options.limit, '--limit', { min: 1, max: 100_000 }),
  };
  const { entries } = await ask(context, 'history', asked);
  const isWhole = options.path !== undefined || options.changeset !== undefined;
  if (options.follow !== true) {
    if (options.json === true) printJson({ entries });
    else for (const set of bySet(entries)) printSet(set, isWhole ? Infinity : MAX_PATHS);
    return EXIT.done;
  }
  let after = 0;
  for (let news = entries.toReversed(); ;) {
    if (options.json === true) for (const entry of news) printAsJson(entry);
    else for (const set of bySet(news)) printSet(set, MAX_PATHS);
    after = news.at(-1)?.number ?? after;
    await sleep(FOLLOW_EVERY);
    const { entries: more } = await ask(context, 'history', { ...asked, limit: 100_000, after });
    news = more.toReversed();
  }
}

/** Entries of one change set stand together, in the place of the first of them. */
function bySet(entries: readonly HistoryEntry[]): HistoryEntry[][] {
  const sets = new Map<string, HistoryEntry[]>();
  for (const entry of entries) {
    const key = entry.changeSet === '' ? `entry ${entry.number}` : `${entry.directory}/${entry.changeSet}`;
    const set = sets.get(key);
    if (set === undefined) sets.set(key, [entry]);
    else set.push(entry);
  }
  return [...sets.values()];
}

function printSet(entries: readonly HistoryEntry[], most: number): void {
  const [first] = entries;
  if (first === undefined) return;
  const who = first.actor === null ? '' : `  ${first.actor}`;
  const what = first.directory === '' ? first.kind : first.directory;
  print(`${localTime(first.at)}  ${what}${who}${first.changeSet === '' ? '' : `  (${first.changeSet})`}`);
  const hosts = new Map<string, HistoryEntry[]>();
  for (const entry of entries) hosts.set(entry.mds, [...(hosts.get(entry.mds) ?? []), entry]);
  for (const [host, here] of hosts) {
    for (const entry of here.slice(0, most))
      print(`  ${host}  ${entry.kind}  ${entry.detail}${sizeOf(entry)}`);
    if (here.length > most)
      print(
        `  ${host}  and ${here.length - most} more: xivo-xds-sync history --changeset ${first.changeSet}`,
      );
  }
}

function sizeOf({ bytes, durationMs }: HistoryEntry): string {
  const parts = [
    ...(bytes === null || bytes === 0 ? [] : [formatBytes(bytes)]),
    ...(durationMs === null ? [] : [`${durationMs} ms`]),
  ];
  return parts.length === 0 ? '' : `  ${parts.join(', ')}`;
}
