import os from 'node:os';
import { statSync } from 'node:fs';
import path from 'node:path';
import type { Contestant } from './contestant.ts';
import { EDITS } from './measure.ts';
import { SAMPLE_EVERY } from './processCost.ts';
import { Results } from './results.ts';

export type Sizes = {
  readonly runs: number;
  readonly files: number;
  /** MiB */
  readonly large: number;
  readonly idle: number;
  readonly recordings: number;
};

export type Sounds = {
  readonly packages: readonly string[];
  readonly folder: string;
  readonly names: readonly string[];
};

const SECONDS = { columns: ['seconds'], digits: 2 } as const;

/** The scenarios, with nothing measured yet. */
export function scenarios(sizes: Sizes, { packages, folder, names }: Sounds) {
  const soundBytes = names.reduce((sum, name) => sum + statSync(path.join(folder, name)).size, 0);
  return {
    small: new Results({
      ...SECONDS,
      title: `First pass of ${sizes.files} files of 2 to 8 KiB, until all are visible on the other side`,
      hasCost: true,
    }),
    sounds: new Results({
      ...SECONDS,
      title:
        names.length === 0
          ? 'First pass of real sounds: skipped'
          : `First pass of ${names.length} real sound files, ${Math.round(soundBytes / 1e6)} MB`,
      hasCost: true,
      notes: [
        names.length === 0
          ? 'No sounds are installed: `apt-get install asterisk-core-sounds-en-wav asterisk-moh-opsound-wav`.'
          : `They are those of ${packages.join(' and ')}.`,
      ],
    }),
    large: new Results({ ...SECONDS, title: `One file of ${sizes.large} MiB`, hasCost: true }),
    edits: new Results({
      title: `That file of ${sizes.large} MiB changes: until the new state is visible on the other side`,
      columns: EDITS.map((edit) => `${edit}, s`),
      digits: 2,
      hasCost: false,
      notes: [
        'The default `settle` of 300 ms is part of what is changed in place; ratios are of the first column.',
      ],
    }),
    recordings: new Results({
      ...SECONDS,
      title: `First pass of ${sizes.recordings} recordings of 2 to 4 MB, from Main`,
      hasCost: true,
    }),
    toMain: new Results({
      ...SECONDS,
      title: `The same ${sizes.recordings} recordings from an MDS to Main`,
      hasCost: true,
    }),
    live: new Results({
      title: `Live: a file is renamed into a folder of ${sizes.files}, until it is visible on the other side`,
      columns: ['p50 ms', 'p99 ms'],
      digits: 0,
      hasCost: true,
      notes: [
        'Thirty changes in each run, three for lsyncd with its default delay; CPU seconds are those of all of them. rsync does not watch: under cron a change waits for up to the period, 15 minutes in the job that this program replaces. unison is not asked either: it is run by command here.',
      ],
    }),
    idle: new Results({
      ...SECONDS,
      title: `Nothing to do: the command for a pass over ${sizes.idle} files that are the same on both sides`,
      hasCost: false,
    }),
  };
}

/** Everything as markdown. */
export function report(all: {
  readonly sizes: Sizes;
  readonly contestants: readonly Contestant[];
  readonly skipped: readonly string[];
  readonly results: readonly Results[];
  readonly base: string;
  /** What the command was given. */
  readonly options: string;
}): string {
  const { sizes, contestants, skipped, results, base } = all;
  const versions = new Set(contestants.map((each) => `- ${each.version()}`));
  const command = `npm run bench -- ${all.options}`;
  return `## ${new Date().toISOString().slice(0, 10)}

Made by \`${command}\` on Linux ${os.release()}, ${os.cpus().length} cores (${os.cpus()[0]?.model.trim() ?? 'unknown'}), ${Math.round(os.totalmem() / 1e9)} GB. The load average was ${os
    .loadavg()
    .map((load) => load.toFixed(1))
    .join(', ')} at the end.

${[...versions].join('\n')}

${skipped.length === 0 ? '' : `Skipped (\`apt-get install rsync openssh-server lsyncd syncthing unison\` brings them):\n\n${skipped.map((each) => `- ${each}`).join('\n')}\n\n`}${results
    .filter((each) => each.isMeasured)
    .map((each) => each.markdown(base))
    .join('\n')}
Each cell is the median of ${sizes.runs} runs with the least and the most; ratios are of the same run, below 1 is faster than the other. CPU seconds and peaks are of all processes involved, until 1.5 s after the last file was there; peaks are sums of VmHWM over each side's processes at one time. Processes are looked at every ${SAMPLE_EVERY} ms, so what a short one used in its last moment is missed.
`;
}
