import { EXIT } from '#host/cli/exitCodes.ts';
import { printable } from '#core/text/printable.ts';
import { formatBytes } from '#core/text/size.ts';
import { summaryText } from '#core/dialplan/summary.ts';
import type { DialplanChange, MdsPass, Result } from '../../control/contract/contract.ts';
import { print, printError } from '#host/cli/output/terminal.ts';
import { ask, printJson } from '../ask.ts';
import type { Context } from '../context.ts';

export const NO_MDS = 'no MDS is enrolled yet: xivo-xds-sync mds add NAME';

/** `sync`: a full pass now, and a summary line for each MDS. */
export async function sync(context: Context, options: { mds?: string; json?: boolean }): Promise<number> {
  const { mds } = await ask(context, 'sync', { mds: options.mds });
  if (options.json === true) printJson('sync', { mds });
  else for (const pass of mds) for (const line of summary(pass)) print(line);
  if (mds.length === 0 && options.json !== true) print(NO_MDS);
  if (mds.some(({ ok }) => !ok) && (await ask(context, 'status', {})).main.pausedUntil !== null)
    printError('xivo-xds-sync: synchronisation is paused; to resume: xivo-xds-sync resume');
  return exitCode(mds);
}

/** `sync --dry-run`: the actions of a pass, one line for each file. */
export async function dryRun(context: Context, options: { mds?: string; json?: boolean }): Promise<number> {
  const { mds } = await ask(context, 'plan', { mds: options.mds });
  if (options.json === true) printJson('sync', { mds });
  else if (mds.length === 0) print(NO_MDS);
  else for (const line of planLines(mds)) print(line);
  return exitCode(mds);
}

/** The actions of a pass, one line for each file. */
export function* planLines(mds: Result<'plan'>['mds']): Generator<string> {
  for (const { name, ok, actions, dialplan, problems } of mds) {
    for (const action of actions) yield actionLine(name, action);
    for (const change of dialplan) yield dialplanLine(name, change);
    if (ok && actions.length === 0) yield `${name}  nothing to do`;
    for (const problem of problems) yield `${name}  ${problem}`;
  }
}

/** A line of a dry run. */
export function actionLine(
  mds: string,
  { directory, action, path, bytes, reason }: MdsPass['actions'][number],
): string {
  return `${mds}  ${directory.padEnd(10)}  ${action.padEnd(8)}  ${printable(path)}  ${formatBytes(bytes)}  ${reason}`;
}

/** The effect for callers, as `[support] +100,1 ~200,1 -300,*`. */
function dialplanLine(mds: string, { directory, contexts, moreContexts }: DialplanChange): string {
  return `${mds}  ${directory.padEnd(10)}  callers   ${printable(summaryText(contexts, moreContexts))}`;
}

/** The result of a pass at one MDS. */
export function summary({ name, ok, actions, problems }: MdsPass): string[] {
  const counts = new Map<string, number>();
  let bytes = 0;
  for (const each of actions) {
    counts.set(each.action, (counts.get(each.action) ?? 0) + 1);
    bytes += each.bytes;
  }
  const done = [...counts].map(([action, count]) => `${count} ${action}`).join(', ');
  const what = done === '' ? 'nothing to do' : `${done}, ${formatBytes(bytes)}`;
  return [
    `${name}: ${ok ? 'in sync' : 'NOT in sync'} (${what})`,
    ...problems.map((problem) => `  ${name}: ${printable(problem)}`),
  ];
}

/** Names the MDS that are behind. */
export function exitCode(mds: readonly MdsPass[]): number {
  const behind = mds.filter(({ ok }) => !ok).map(({ name }) => name);
  if (behind.length === 0) return EXIT.done;
  printError(`xivo-xds-sync: behind: ${behind.join(', ')}`);
  return EXIT.failed;
}
