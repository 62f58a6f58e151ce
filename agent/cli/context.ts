import { existsSync } from 'node:fs';
import { type AgentConfig, loadAgentConfig } from '../config/agentConfig.ts';
import { type AgentPlaces, agentPlaces } from '#host/config/places.ts';
import { Root } from '#host/config/rootPath.ts';
import type { GlobalOptions } from '#host/cli/program.ts';
import { UsageError } from '#host/cli/usageError.ts';

/** Where this invocation's MDS lives. */
export type Context = { readonly root: Root; readonly places: AgentPlaces; readonly configFile: string };

export function contextOf(options: GlobalOptions): Context {
  const root = new Root(options.root);
  const places = agentPlaces(root);
  return { root, places, configFile: options.config ?? places.configFile };
}

/** @throws UsageError when this MDS was never enrolled, ConfigError when the file is wrong */
export function loadConfig({ configFile }: Context): AgentConfig {
  if (!existsSync(configFile)) {
    throw new UsageError(`there is no ${configFile}: run "xivo-xds-sync-agent enroll --main HOST" first`);
  }
  return loadAgentConfig(configFile).config;
}

export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
