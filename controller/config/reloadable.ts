import type { ControllerConfig } from './controllerConfig.ts';

/** Keys that a running controller applies. */
const RELOADABLE: Readonly<Partial<Record<keyof ControllerConfig, string>>> = {
  reconcile: 'reconcile',
  trash: 'trash',
  guard: 'guard',
  canary: 'canary',
  bandwidth: 'bandwidth',
};
const RESTART: Readonly<Partial<Record<keyof ControllerConfig, string>>> = {
  listen: 'listen',
  directories: 'directories (with settle and reload)',
  reserveBytes: 'reserve',
  mediaServers: 'mediaServers',
  certificates: 'certificates',
  page: 'page',
  metrics: 'metrics',
  notify: 'notify',
};

export type ConfigChange = {
  /** The configuration to use from now on. */
  readonly config: ControllerConfig;
  /** Changed keys that apply now. */
  readonly changed: readonly string[];
  /** Changed keys that apply after a restart. */
  readonly needRestart: readonly string[];
};

/** Splits a new configuration into what applies now and what needs a restart. Pure. */
export function takeOver(now: ControllerConfig, next: ControllerConfig): ConfigChange {
  const differing = (keys: Readonly<Partial<Record<keyof ControllerConfig, string>>>): string[] =>
    (Object.entries(keys) as [keyof ControllerConfig, string][]).flatMap(([key, name]) =>
      JSON.stringify(now[key]) === JSON.stringify(next[key]) ? [] : [name],
    );
  const { reconcile, trash, guard, canary, bandwidth } = next;
  return {
    config: { ...now, reconcile, trash, guard, canary, bandwidth },
    changed: differing(RELOADABLE),
    needRestart: differing(RESTART),
  };
}
