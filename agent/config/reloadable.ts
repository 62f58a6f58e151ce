import type { AgentConfig } from './agentConfig.ts';

/** Keys that a running agent applies without a restart. */
const RELOADABLE = ['bandwidth', 'trash', 'directories', 'allow'] as const;
const RESTART = ['main', 'name', 'localAddress', 'asterisk', 'reserveBytes'] as const;

export type ConfigChange = {
  /** The configuration to use from now on. */
  readonly config: AgentConfig;
  /** Changed keys that are in effect now. */
  readonly changed: readonly (typeof RELOADABLE)[number][];
  /** Changed keys that need a restart. */
  readonly needRestart: readonly string[];
};

/** Decides which changes of a new configuration a running agent applies. Pure. */
export function takeOver(now: AgentConfig, next: AgentConfig): ConfigChange {
  const differs = (key: keyof AgentConfig): boolean => JSON.stringify(now[key]) !== JSON.stringify(next[key]);
  const { bandwidth, trash, directories, allow } = next;
  return {
    config: { ...now, bandwidth, trash, directories, allow },
    changed: RELOADABLE.filter(differs),
    needRestart: RESTART.filter(differs),
  };
}
