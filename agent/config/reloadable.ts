import type { AgentConfig } from './agentConfig.ts';

/** What a running agent takes over, by key. */
const RELOADABLE = ['bandwidth', 'trash', 'directories', 'allow'] as const;
const RESTART = ['main', 'name', 'localAddress', 'asterisk', 'reserveBytes'] as const;

export type ConfigChange = {
  /** The configuration to go on with. */
  readonly config: AgentConfig;
  /** Keys that changed and hold from now on. */
  readonly changed: readonly (typeof RELOADABLE)[number][];
  /** Keys that changed and hold from the next start on. */
  readonly needRestart: readonly string[];
};

/** What becomes of a new configuration while the agent runs. Pure. */
export function takeOver(now: AgentConfig, next: AgentConfig): ConfigChange {
  const differs = (key: keyof AgentConfig): boolean => JSON.stringify(now[key]) !== JSON.stringify(next[key]);
  const { bandwidth, trash, directories, allow } = next;
  return {
    config: { ...now, bandwidth, trash, directories, allow },
    changed: RELOADABLE.filter(differs),
    needRestart: RESTART.filter(differs),
  };
}
