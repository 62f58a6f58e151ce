import { formatBytes } from '#core/text/size.ts';
import { EXIT } from '#host/cli/exitCodes.ts';
import { askedEntries, type HistoryOptions, printHistory } from '#host/cli/historyOptions.ts';
import { table } from '#host/cli/output/table.ts';
import { print, printError, terminalWidth } from '#host/cli/output/terminal.ts';
import { localTime } from '#host/time/localTime.ts';
import { ask, printJson } from '../ask.ts';
import type { Context } from '../context.ts';

/** `history`: what was done on this MDS; works also while Main is unreachable. */
export async function history(context: Context, options: HistoryOptions): Promise<number> {
  const { entries } = await ask(context, 'history', askedEntries(options));
  if (options.json === true) printJson('history', { entries });
  else printHistory(entries, options, 'xivo-xds-sync-agent');
  return EXIT.done;
}

/** `trash list`: the items that can be restored here. */
export async function trashList(context: Context, options: { json?: boolean }): Promise<number> {
  const { items, problems } = await ask(context, 'trash-list', {});
  if (options.json === true) printJson('trash list', { items, problems });
  else {
    const rows = items.map(({ directory, path, at, bytes, reason, id }) => [
      `${directory}/${path}`,
      localTime(at),
      formatBytes(bytes),
      reason,
      id,
    ]);
    if (items.length === 0) print('the trash of this MDS is empty');
    else
      for (const line of table(['PATH', 'SINCE', 'SIZE', 'REASON', 'ID'], rows, {
        right: [2],
        fold: { from: 3, width: terminalWidth() },
      }))
        print(line);
    for (const problem of problems) printError(`xivo-xds-sync-agent: ${problem}`);
  }
  return problems.length === 0 ? EXIT.done : EXIT.failed;
}

/** `trash restore`: restores an item on this MDS only. */
export async function trashRestore(
  context: Context,
  path: string,
  options: { as?: string; json?: boolean },
): Promise<number> {
  const done = await ask(context, 'trash-restore', { path, as: options.as });
  if (options.json === true) printJson('trash restore', done);
  else print(`restored ${done.directory}/${done.path}`);
  return EXIT.done;
}
