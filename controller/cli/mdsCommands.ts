import { table } from '#host/cli/table.ts';
import type { MdsStatus } from '../control/statusReport.ts';
import { ask, type Context, print, printJson } from './context.ts';

type Listed = Pick<
  MdsStatus,
  'name' | 'state' | 'address' | 'voipIp' | 'agentVersion' | 'inSync' | 'fingerprint'
>;

export async function mdsList(context: Context, options: { json?: boolean }): Promise<void> {
  const list = (await ask(context, 'mds-list')) as Listed[];
  if (options.json === true) return printJson(list);
  const rows = list.map(({ name, state, address, voipIp, agentVersion, inSync }) => [
    name,
    state,
    inSync ? 'yes' : 'no',
    address ?? '-',
    voipIp ?? '-',
    agentVersion ?? '-',
  ]);
  for (const line of table(['MDS', 'STATE', 'IN SYNC', 'ADDRESS', 'VOIP IP', 'VERSION'], rows)) print(line);
  for (const { name, fingerprint } of list) {
    if (fingerprint !== null) print(`${name} asks to enrol. Its fingerprint: ${fingerprint}`);
  }
}
