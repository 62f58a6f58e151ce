import path from 'node:path';
import { makeFiles, numberedNames } from '../content.ts';
import { rotated } from '../passes.ts';
import { Results } from '../results.ts';
import type { Scenario } from '../scenario.ts';

export const recordings: Scenario = {
  name: 'recordings',
  about: 'a first pass of recordings, both ways',
  measure: async ({ sizes, contestants, folder, passes }) => {
    const tableOf = (title: string): Results =>
      new Results({ title, columns: ['seconds'], digits: 2, hasCost: true });
    const fromMain = tableOf(`First pass of ${sizes.recordings} recordings of 2 to 4 MB, from Main`);
    const toMain = tableOf(`The same ${sizes.recordings} recordings from an MDS to Main`);
    const content = path.join(folder, 'recordings');
    makeFiles(content, numberedNames(sizes.recordings), { least: 2e6, most: 4e6 });
    for (let run = 1; run <= sizes.runs; run++)
      for (const each of rotated(contestants, run)) {
        await passes.once(each, run, content, { first: fromMain });
        // A limit has no direction.
        if (each.kind === 'competitor') await passes.once(each, run, content, { first: toMain }, true);
      }
    return [fromMain, toMain];
  },
};
