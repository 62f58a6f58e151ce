import { EXIT } from '#host/cli/exitCodes.ts';
import { printable } from '#core/text/printable.ts';
import { UsageError } from '#host/cli/usageError.ts';
import type { HistoryEntry } from '../control/contract/contract.ts';
import { print } from '#host/cli/terminal.ts';
import { ask, printJson } from './ask.ts';
import type { Context } from './context.ts';

export async function history(
  context: Context,
  options: { mds?: string; limit: string; json?: boolean },
): Promise<number> {
  const limit = Number(options.limit);
  if (!Number.isInteger(limit) || limit < 1 || limit > 100_000) {
    throw new UsageError(`--limit takes a whole number from 1 to 100000, not "${options.limit}"`);
  }
  const { entries } = await ask(context, 'history', { mds: options.mds, limit });
  if (options.json === true) printJson({ entries });
  else for (const entry of entries) print(line(entry));
  return EXIT.done;
}

function line({ at, mds, directory, changeSet, kind, detail }: HistoryEntry): string {
  return `${at}  ${mds}  ${directory}  ${kind}  ${printable(detail)}  (${changeSet})`;
}
