import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT } from '#host/cli/exitCodes.ts';
import { numberOption, timeOption } from '#host/cli/options.ts';
import { bySet, printSet } from '#host/cli/output/historyLines.ts';
import { ask, printJson } from '../ask.ts';
import type { Context } from '../context.ts';

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

/** Polling interval of `--follow`, milliseconds. */
const FOLLOW_EVERY = 500;
/** Paths of one change set that are listed; `--path`, `--changeset` and `--json` show all. */
const MAX_PATHS = 10;

/**
 * `history`: what was done, by whom, when and why; one entry for each change set, with its consequences on each MDS
 * below it.
 */
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
    if (options.json === true) printJson('history', { entries });
    else for (const set of bySet(entries)) printSet(set, isWhole ? Infinity : MAX_PATHS, 'xivo-xds-sync');
    return EXIT.done;
  }
  let after = 0;
  for (let news = entries.toReversed(); ;) {
    if (options.json === true) for (const entry of news) printJson('history', entry);
    else for (const set of bySet(news)) printSet(set, MAX_PATHS, 'xivo-xds-sync');
    after = news.at(-1)?.number ?? after;
    await sleep(FOLLOW_EVERY);
    const { entries: more } = await ask(context, 'history', { ...asked, limit: 100_000, after });
    news = more.toReversed();
  }
}
