import type { AgentReport } from '#protocol/messages/session.ts';
import { EXIT } from '#host/cli/exitCodes.ts';
import { table } from '#host/cli/table.ts';
import { formatBytes } from '#core/text/size.ts';
import { formatDuration } from '#core/text/duration.ts';
import { askDaemon } from '#host/control/controlClient.ts';
import type { LinkState } from '../connection/reconnector.ts';
import { type Context, print } from './context.ts';

type AgentStatus = AgentReport & { readonly name: string; readonly link: LinkState };

/** `status`: how this MDS is, from its own agent. */
export async function status(context: Context, options: { json?: boolean }): Promise<number> {
  const start =
    'Start it with "systemctl start xivo-xds-sync-agent", or in the foreground with "xivo-xds-sync-agent run"';
  const now = (await askDaemon(context.places.controlSocket, 'status', {}, start)) as AgentStatus;
  if (options.json === true) print(JSON.stringify(now, null, 2));
  else for (const line of render(now, Date.now())) print(line);
  const fine = now.link.state === 'connected' && now.errors.length === 0 && now.owedReloads.length === 0;
  return fine && now.directories.every(({ pending, held }) => pending === 0 && held === null)
    ? EXIT.done
    : EXIT.failed;
}

function render({ name, link, directories, errors, owedReloads }: AgentStatus, now: number): string[] {
  const since = formatDuration(Math.max(0, now - link.since));
  const state =
    link.state === 'connected'
      ? `connected to Main for ${since}`
      : `NOT connected to Main for ${since}: ${link.problem ?? 'connecting'}`;
  const rows = directories.map(({ name: directory, files, bytes, pending, localOnly, held }) => [
    directory,
    String(files),
    formatBytes(bytes),
    String(pending),
    String(localOnly),
    held ?? '',
  ]);
  return [
    `${name}: ${state}`,
    ...table(['DIRECTORY', 'FILES', 'SIZE', 'BEHIND', 'LOCAL', 'HELD'], rows, { right: [1, 2, 3, 4] }),
    ...owedReloads.map((kind) => `Asterisk has still to reload ${kind}`),
    ...errors.map(({ path, message }) => `${path}: ${message}`),
  ];
}
