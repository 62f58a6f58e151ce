import { UsageError } from '../cli/usageError.ts';
import { NotRunning } from './controlClient.ts';

/**
 * Refuses a command that must not run beside the daemon.
 * @param ask asks the daemon anything
 * @param stopFirst what is running, and how to stop it
 * @throws UsageError when the daemon answers; what `ask` throws when it can't be found out
 */
export async function refuseWhileRunning(ask: () => Promise<unknown>, stopFirst: string): Promise<void> {
  try {
    await ask();
  } catch (error) {
    if (error instanceof NotRunning) return;
    throw error;
  }
  throw new UsageError(stopFirst);
}
