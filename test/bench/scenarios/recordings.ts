import path from 'node:path';
import { makeFiles, numberedNames } from '../content.ts';
import { rotated } from '../passes.ts';
import { firstPassTable } from '../results.ts';
import type { Scenario } from '../scenario.ts';

export const recordings: Scenario = {
  name: 'recordings',
  about: 'a first pass of recordings, both ways',
  measure: async ({ sizes, contestants, folder, passes }) => {
    const first = firstPassTable(`First pass of ${sizes.recordings} recordings of 2 to 4 MB, from Main`);
    const toMain = firstPassTable(`The same ${sizes.recordings} recordings from an MDS to Main`);
    const content = path.join(folder, 'recordings');
    makeFiles(content, numberedNames(sizes.recordings), { least: 2e6, most: 4e6 });
    for (let run = 1; run <= sizes.runs; run++)
      for (const each of rotated(contestants, run))
        await passes.bothWays(each, run, content, { first, toMain });
    return [first, toMain];
  },
};
