import path from 'node:path';
import { makeFiles, numberedNames } from '../content.ts';
import { rotated } from '../passes.ts';
import { firstPassTable, Results } from '../results.ts';
import type { Scenario } from '../scenario.ts';

export const small: Scenario = {
  name: 'small',
  about: 'a first pass of small files, both ways, and live changes after one',
  measure: async ({ sizes, contestants, folder, passes }) => {
    const first = firstPassTable(
      `First pass of ${sizes.files} files of 2 to 8 KiB, until all are visible on the other side`,
    );
    const toMain = firstPassTable(`The same ${sizes.files} files from an MDS to Main`);
    const live = new Results({
      title: `Live: a file is renamed into a folder of ${sizes.files}, until it is visible on the other side`,
      columns: ['p50 ms', 'p99 ms'],
      digits: 0,
      hasCost: true,
      notes: [
        'Thirty changes in each run, three for lsyncd with its default delay; CPU seconds are those of all of them. rsync does not watch: under cron a change waits for up to the period, 15 minutes in the job that this program replaces. unison is not asked either: it is run by command here.',
      ],
    });
    const content = path.join(folder, 'small');
    makeFiles(content, numberedNames(sizes.files), { least: 2048, most: 8192 });
    for (let run = 1; run <= sizes.runs; run++)
      for (const each of rotated(contestants, run))
        await passes.bothWays(each, run, content, { first, toMain, live });
    return [first, toMain, live];
  },
};
