import type { PlannedAction } from '#protocol/messages/common.ts';
import type { Tasks } from '#host/process/tasks.ts';
import type { PendingReloads } from '../asterisk/reload/pendingReloads.ts';
import type { AgentDirectory } from '../directory/agentDirectory.ts';

export type FullPass = {
  readonly directories: readonly AgentDirectory[];
  readonly reloads: PendingReloads;
  readonly tasks: Tasks;
  /** Retention of the trash, milliseconds. */
  readonly keepMs: number;
};

/**
 * One pass over every directory: scans it, resolves the differences from Main, and makes sure that Asterisk has loaded
 * the result.
 */
export async function fullPass({
  directories,
  reloads,
  tasks,
  keepMs,
}: FullPass): Promise<{ readonly ok: boolean; readonly actions: readonly PlannedAction[] }> {
  const passes = await Promise.all(directories.map((directory) => directory.reconcile()));
  for (const { policy } of directories) {
    const { reload, reloadAlways } = policy;
    if (!reloadAlways || reload === 'none') continue;
    reloads.add(reload);
    tasks.run('a reload failed', () => reloads.request(reload));
  }
  for (const directory of directories) directory.purge(keepMs);
  const isActive = await reloads.requestAll();
  return { ok: passes.every(({ ok }) => ok) && isActive, actions: passes.flatMap(({ actions }) => actions) };
}
