import { EXIT } from '#host/cli/exitCodes.ts';
import { table } from '#host/cli/output/table.ts';
import { formatBytes } from '#core/text/size.ts';
import { formatDuration } from '#core/text/duration.ts';
import type { AgentStatus } from '../control/contract.ts';
import { print } from '#host/cli/output/terminal.ts';
import { localTime } from '#host/time/localTime.ts';
import { ask, printJson } from './ask.ts';
import type { Context } from './context.ts';

/** `status`: the state of this MDS, from its own agent. */
export async function status(context: Context, options: { json?: boolean }): Promise<number> {
  const now = await ask(context, 'status', {});
  if (options.json === true) printJson('status', now);
  else for (const line of render(now, Date.now())) print(line);
  const fine = now.link.state === 'connected' && now.errors.length === 0 && now.owedReloads.length === 0;
  return fine && now.directories.every(({ pending, held }) => pending === 0 && held === null)
    ? EXIT.done
    : EXIT.failed;
}

/** The status of this MDS as text. @param now milliseconds since 1970 */
export function render(
  { name, link, paused, directories, errors, owedReloads, reloads, alarms }: AgentStatus,
  now: number,
): string[] {
  const since = formatDuration(Math.max(0, now - link.since));
  const state =
    link.state === 'connected'
      ? `connected to Main for ${since}`
      : `disconnected from Main for ${since}: ${link.problem ?? 'connecting'}`;
  const rows = directories.map(({ name: directory, files, bytes, pending, localOnly, held }) => [
    directory,
    String(files),
    formatBytes(bytes),
    String(pending),
    String(localOnly),
    held === null ? '' : 'yes',
  ]);
  return [
    `${name}: ${state}`,
    ...(paused === true
      ? ['synchronisation is paused: no file is changed here. To resume, on Main: xivo-xds-sync resume']
      : []),
    ...table(['DIRECTORY', 'FILES', 'SIZE', 'FILES TO DO', 'LOCAL FILES', 'ON HOLD'], rows, {
      right: [1, 2, 3, 4],
    }),
    ...directories.flatMap(({ name: directory, held }) =>
      held === null ? [] : [`HELD ${directory}: ${held}; what to do: xivo-xds-sync status, on Main`],
    ),
    ...owedReloads.map((kind) => `${kind} reload pending in Asterisk${whyPending(kind, reloads)}`),
    ...(alarms ?? []).map(({ at, message }) => `ALARM since ${localTime(at)}: ${message}`),
    ...errors.map(({ path, message }) => `${path}: ${message}`),
  ];
}

/** What Asterisk answered to the last attempt, or why it could not be asked. */
function whyPending(kind: string, reloads: AgentStatus['reloads']): string {
  const last = reloads.findLast((reload) => reload.kind === kind);
  return last === undefined || last.ok || last.output === '' ? '' : `: ${last.output.trim()}`;
}
