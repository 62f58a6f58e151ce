import { howToStart } from '#host/cli/howToStart.ts';
import { askDaemon } from '#host/control/controlClient.ts';
import type { ArgsIn } from '#host/control/contract.ts';
import { showProgress } from '#host/cli/output/shownProgress.ts';
import { printJson as printAsJson } from '#host/cli/output/terminal.ts';
import { VERSION } from '#host/version.ts';
import { type AgentCommand, agentContract, type AgentContract, type Result } from '../control/contract.ts';
import type { AgentJson } from './json.ts';
import type { Context } from './context.ts';

/** Sends a command to the running agent of this root. @throws NotRunning, ControlError */
export async function ask<N extends AgentCommand>(
  context: Context,
  command: N,
  args: ArgsIn<AgentContract, N>,
): Promise<Result<N>> {
  const daemon = {
    socketPath: context.places.controlSocket,
    name: 'agent',
    howToStart: howToStart(context.root, 'xivo-xds-sync-agent', 'run'),
  };
  using shown = showProgress();
  return await askDaemon(daemon, agentContract, command, args, shown.update);
}

/** What `--json` prints: always an object with the version of the program that printed it, as docs/json has it. */
export function printJson<K extends keyof AgentJson>(_command: K, value: AgentJson[K]): void {
  printAsJson({ version: VERSION, ...value });
}
