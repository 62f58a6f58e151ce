import path from 'node:path';
import { makeLargeFile } from '../content.ts';
import { EDITS } from '../measure.ts';
import { rotated } from '../passes.ts';
import { firstPassTable, Results } from '../results.ts';
import type { Scenario } from '../scenario.ts';

export const large: Scenario = {
  name: 'large',
  about: 'one large file, both ways, and changes of it',
  measure: async ({ sizes, contestants, folder, passes }) => {
    const first = firstPassTable(`One file of ${sizes.large} MiB`);
    const toMain = firstPassTable('The same file from an MDS to Main');
    const times = new Results({
      title: `That file of ${sizes.large} MiB changes: until the new state is visible on the other side`,
      columns: EDITS.map((edit) => `${edit}, s`),
      digits: 2,
      hasCost: false,
      notes: [
        'The default `settle` of 300 ms is part of what is changed in place; ratios are of the first column.',
      ],
    });
    const bytes = new Results({
      title: 'What these changes send, both ways',
      columns: EDITS.map((edit) => `${edit}, MB`),
      digits: 3,
      hasCost: false,
      ratio: 'sends … times as much',
      notes: ["TLS counts here, ssh does not: rsync's figures are its own."],
    });
    const content = path.join(folder, 'large');
    makeLargeFile(path.join(content, 'large.wav'), sizes.large);
    for (let run = 1; run <= sizes.runs; run++)
      for (const each of rotated(contestants, run))
        await passes.bothWays(each, run, content, { first, toMain, edits: { times, bytes } });
    return [first, toMain, times, bytes];
  },
};
