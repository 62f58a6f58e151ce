import { EXIT } from '#host/cli/exitCodes.ts';
import { UsageError } from '#host/cli/usageError.ts';
import { openLog } from '#host/log/openLog.ts';
import { installOffered } from '../upgrade/installer.ts';
import { processAgent, serviceAgent } from '../upgrade/runningAgent.ts';
import type { Context } from './context.ts';

/** Time limit for the new agent to connect, milliseconds. */
const BACK_WITHIN = 60_000;

/**
 * `install-upgrade`: run as root by xivo-xds-sync-agent-upgrade.service when the agent has put a package of Main into
 * its inbox.
 */
export async function installUpgrade({ places }: Context, options: { agent?: string }): Promise<number> {
  const pid = options.agent === undefined ? undefined : Number(options.agent);
  if (pid !== undefined && !(Number.isInteger(pid) && pid > 1))
    throw new UsageError(`--agent takes a process id, not "${options.agent}"`);
  const log = openLog('auto');
  try {
    const agent = pid === undefined ? serviceAgent(places) : processAgent(places, pid);
    const done = await installOffered({ places, agent, log: log.logger, withinMs: BACK_WITHIN });
    return done ? EXIT.done : EXIT.failed;
  } finally {
    await log.close();
  }
}
