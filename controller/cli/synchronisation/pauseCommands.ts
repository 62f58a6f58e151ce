import { EXIT } from '#host/cli/exitCodes.ts';
import { durationOption } from '#host/cli/options.ts';
import { formatDuration } from '#core/text/duration.ts';
import { localTime } from '#host/time/localTime.ts';
import { print } from '#host/cli/output/terminal.ts';
import { ask, printJson } from '../ask.ts';
import type { Context } from '../context.ts';
import { oldJob, retireOldJob } from '../migration/oldJob.ts';

/** `pause`: suspends synchronisation on all hosts. */
export async function pause(context: Context, options: { for: string; json?: boolean }): Promise<number> {
  const forMs = durationOption(options.for, '--for');
  const { until } = await ask(context, 'pause', { forMs });
  if (options.json === true) printJson('pause', { until });
  else
    print(
      `paused until ${localTime(until)} (${formatDuration(forMs)}). To resume earlier: xivo-xds-sync resume`,
    );
  return EXIT.done;
}

/** `resume`: ends a pause. */
export async function resume(context: Context, options: { json?: boolean }): Promise<number> {
  // First, because the two must not run at the same time.
  const retired = retireOldJob(context.places);
  const { wasPaused, pending } = await ask(context, 'resume', {});
  if (options.json !== true && retired !== undefined) {
    print(retired);
    print('its key may still log in to each MDS. There, as root, to remove it:');
    print('  /usr/share/xivo-xds-sync-agent/mds_install.sh --main MAIN');
  }
  if (options.json === true) printJson('resume', { wasPaused, pending, oldJob: oldJob(context.places) });
  else if (!wasPaused) print('synchronisation was not paused');
  else if (pending === 0) print('resumed; nothing is waiting');
  else print(`resumed; catching up (${pending} ${pending === 1 ? 'file' : 'files'} to transfer)`);
  return EXIT.done;
}
