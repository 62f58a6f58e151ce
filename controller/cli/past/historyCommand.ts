import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT } from '#host/cli/exitCodes.ts';
import {
  askedEntries,
  type HistoryOptions,
  MAX_PATHS,
  printHistory,
  shownEntries,
} from '#host/cli/historyOptions.ts';
import { printSets } from '#host/cli/output/historyLines.ts';
import { ask, printJson } from '../ask.ts';
import type { Context } from '../context.ts';

export type MainHistoryOptions = HistoryOptions & { readonly mds?: string; readonly follow?: boolean };

/** Polling interval of `--follow`, milliseconds. */
const FOLLOW_EVERY = 500;

/**
 * `history`: what was done, by whom, when and why; one entry for each change set, with its consequences on each MDS
 * below it.
 */
export async function history(context: Context, options: MainHistoryOptions): Promise<number> {
  const asked = { mds: options.mds, ...askedEntries(options) };
  const { entries } = await ask(context, 'history', asked);
  if (options.follow !== true) {
    if (options.json === true) printJson('history', { entries });
    else printHistory(entries, options, 'xivo-xds-sync');
    return EXIT.done;
  }
  let after = 0;
  const latest = options.json === true ? entries : shownEntries(entries, options);
  for (let news = latest.toReversed(); ;) {
    if (options.json === true) for (const entry of news) printJson('history', entry);
    else if (news.length > 0) printSets(news, MAX_PATHS, 'xivo-xds-sync');
    after = news.at(-1)?.number ?? after;
    await sleep(FOLLOW_EVERY);
    const { entries: more } = await ask(context, 'history', { ...asked, limit: 100_000, after });
    news = more.toReversed();
  }
}
