import { existsSync } from 'node:fs';
import { UsageError } from '#host/cli/usageError.ts';
import { type ControllerConfig, loadControllerConfig } from '../config/controllerConfig.ts';
import type { Context } from './context.ts';

/**
 * Reads Main's configuration. A file of its own, because loading the parsers takes longer than most commands.
 * @throws UsageError when Main was never initialised, ConfigError when the file is invalid
 */
export function loadConfig({ configFile }: Context): ControllerConfig {
  if (!existsSync(configFile)) {
    throw new UsageError(`there is no ${configFile}: run "xivo-xds-sync -i" first`);
  }
  return loadControllerConfig(configFile).config;
}
