import os from 'node:os';
import type { Contestant } from './contestant.ts';
import { SAMPLE_EVERY } from './processCost.ts';
import type { Results } from './results.ts';

const LIMITS =
  'Limits are no competitors: they copy everything once, delete nothing, make nothing durable, and verify nothing; `cp -a` uses no network and encrypts nothing. They show what there is left to win.';

/** Everything as markdown. */
export function report(all: {
  readonly runs: number;
  readonly contestants: readonly Contestant[];
  readonly skipped: readonly string[];
  readonly results: readonly Results[];
  readonly base: string;
  /** What the command was given. */
  readonly options: string;
}): string {
  const { runs, contestants, skipped, results, base } = all;
  const versions = new Set(contestants.map((each) => `- ${each.version()}`));
  const command = `npm run bench -- ${all.options}`;
  return `## ${new Date().toISOString().slice(0, 10)}

Made by \`${command}\` on Linux ${os.release()}, ${os.cpus().length} cores (${os.cpus()[0]?.model.trim() ?? 'unknown'}), ${Math.round(os.totalmem() / 1e9)} GB. The load average was ${os
    .loadavg()
    .map((load) => load.toFixed(1))
    .join(', ')} at the end.

${[...versions].join('\n')}

${skipped.length === 0 ? '' : `Skipped:\n\n${skipped.map((each) => `- ${each}`).join('\n')}\n\n`}${results
    .filter((each) => each.isMeasured)
    .map((each) => each.markdown(base))
    .join('\n')}
Each cell is the median of ${runs} runs with the least and the most; ratios are of the same run, below 1 is faster than the other. CPU seconds and peaks are of all processes involved, until 1.5 s after the last file was there; peaks are sums of VmHWM over each side's processes at one time. Processes are looked at every ${SAMPLE_EVERY} ms, so what a short one used in its last moment is missed.
${contestants.some(({ kind }) => kind === 'limit') ? `\n${LIMITS}\n` : ''}`;
}
