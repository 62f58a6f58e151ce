import { existsSync } from 'node:fs';
import { UsageError } from '#host/cli/usageError.ts';
import { type AgentConfig, loadAgentConfig } from '../config/agentConfig.ts';
import type { Context } from './context.ts';

/**
 * Reads this MDS's configuration. A file of its own, because loading the parsers takes longer than most commands.
 * @throws UsageError when this MDS was never enrolled, ConfigError when the file is invalid
 */
export function loadConfig({ configFile }: Context): AgentConfig {
  if (!existsSync(configFile)) {
    throw new UsageError(`there is no ${configFile}: run "xivo-xds-sync-agent enroll --main HOST" first`);
  }
  return loadAgentConfig(configFile).config;
}
