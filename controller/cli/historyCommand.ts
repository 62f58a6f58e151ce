import { EXIT } from '#host/cli/exitCodes.ts';
import { printable } from '#core/text/printable.ts';
import { UsageError } from '#host/cli/usageError.ts';
import type { HistoryRow } from '#sync/state/history.ts';
import { ask, type Context, print, printJson } from './context.ts';

export async function history(
  context: Context,
  options: { mds?: string; limit: string; json?: boolean },
): Promise<number> {
  const limit = Number(options.limit);
  if (!Number.isInteger(limit) || limit < 1 || limit > 100_000) {
    throw new UsageError(`--limit takes a whole number from 1 to 100000, not "${options.limit}"`);
  }
  const rows = (await ask(context, 'history', { mds: options.mds, limit })) as HistoryRow[];
  if (options.json === true) printJson(rows.map((row) => ({ ...row, at: new Date(row.at).toISOString() })));
  else for (const row of rows) print(line(row));
  return EXIT.done;
}

function line({ at, mds, directory, changeSet, kind, detail }: HistoryRow): string {
  return `${new Date(at).toISOString()}  ${mds}  ${directory}  ${kind}  ${printable(detail)}  (${changeSet})`;
}
