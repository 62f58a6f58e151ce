import { existsSync } from 'node:fs';
import { checkConfig, exitCodeOfConfigCheck, renderConfigCheck } from '#host/cli/checkConfig.ts';
import { canaryProblems } from '../../config/canaries.ts';
import { loadControllerConfig } from '../../config/controllerConfig.ts';
import { Registry } from '../../registry/registry.ts';
import { print, printError } from '#host/cli/output/terminal.ts';
import { printJson } from '../ask.ts';
import type { Context } from '../context.ts';

/** `check-config`: the configuration as the next start or reload would read it, and whether its canaries exist. */
export function checkConfiguration(
  context: Context,
  file: string | undefined,
  options: { json?: boolean },
): number {
  const checked = checkConfig(file ?? context.configFile, (path) => {
    const { config, files, placeOf } = loadControllerConfig(path);
    return { files, problems: canaryProblems(config.canary, knownMds(context), placeOf) };
  });
  if (options.json === true) printJson('check-config', checked);
  else
    for (const line of renderConfigCheck(
      checked,
      'To use it: systemctl reload xivo-xds-sync (restart instead of reload for changed directories; the log names what else needs that)',
    ))
      if (checked.ok) print(line);
      else printError(line);
  return exitCodeOfConfigCheck(checked);
}

/** None while Main has no identity yet, or if this user may not read it. */
function knownMds({ places }: Context): ReadonlySet<string> {
  if (!existsSync(places.identityFolder)) return new Set();
  return new Registry(places.identityFolder).knownNames(Date.now());
}
