import { checkConfig, exitCodeOfConfigCheck, renderConfigCheck } from '#host/cli/checkConfig.ts';
import { loadAgentConfig } from '../config/agentConfig.ts';
import { print, printError } from '#host/cli/output/terminal.ts';
import { printJson } from './ask.ts';
import type { Context } from './context.ts';

/** `check-config`: the configuration as the next start or reload would read it. */
export function checkConfiguration(
  context: Context,
  file: string | undefined,
  options: { json?: boolean },
): number {
  const checked = checkConfig(file ?? context.configFile, (path) => ({
    files: loadAgentConfig(path).files,
    problems: [],
  }));
  if (options.json === true) printJson('check-config', checked);
  else
    for (const line of renderConfigCheck(
      checked,
      'To use it: systemctl reload xivo-xds-sync-agent (the log names what needs a restart)',
    ))
      if (checked.ok) print(line);
      else printError(line);
  return exitCodeOfConfigCheck(checked);
}
