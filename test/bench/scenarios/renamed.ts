import { existsSync, renameSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeFiles, numberedNames } from '../content.ts';
import type { Pair } from '../contestant.ts';
import { AFTERWARDS, allVisible } from '../measure.ts';
import { rotated } from '../passes.ts';
import { metered } from '../processCost.ts';
import { Results } from '../results.ts';
import type { Scenario } from '../scenario.ts';

export const renamed: Scenario = {
  name: 'renamed',
  about: 'a folder with many files gets another name',
  measure: async ({ sizes, contestants, folder, passes, tell }) => {
    const results = new Results({
      title: `A folder of ${sizes.renamed} files of 64 to 512 bytes is renamed, until the other side has it so`,
      columns: ['seconds', 'MB sent, both ways'],
      digits: [2, 3],
      hasCost: true,
    });
    const names = numberedNames(sizes.renamed);
    const content = path.join(folder, 'renamed');
    makeFiles(path.join(content, 'before'), names, { least: 64, most: 512 });
    // Only those that answer to each change, or are run by command, can be waited for alike.
    const those = contestants.filter(({ hasCommand }) => hasCommand);
    const layout = { content, files: names.length, isFilled: true, toMain: false };
    for (let run = 1; run <= sizes.runs; run++)
      for (const each of rotated(those, run)) {
        tell(`run ${run}: ${each.name}`);
        await passes.attempt(results, each.name, run, () =>
          passes.withPair(each, layout, async (pair) => {
            await pair.start();
            await pair.settled?.();
            const { result, cost } = await metered(pair.roots, () => rename(pair, names));
            results.add(each.name, run, { values: [result.seconds, result.megabytes], cost });
          }),
        );
      }
    return [results];
  },
};

async function rename(
  pair: Pair,
  names: readonly string[],
): Promise<{ readonly seconds: number; readonly megabytes: number }> {
  const sentBefore = pair.wireBytes?.() ?? Number.NaN;
  const began = performance.now();
  renameSync(path.join(pair.source, 'before'), path.join(pair.source, 'after'));
  const passed = pair.isConnected === undefined ? pair.again?.() : undefined;
  await Promise.all([allVisible({ target: path.join(pair.target, 'after') }, names), passed]);
  while (existsSync(path.join(pair.target, 'before'))) await sleep(5);
  const seconds = (performance.now() - began) / 1000;
  await sleep(AFTERWARDS);
  return { seconds, megabytes: ((pair.wireBytes?.() ?? Number.NaN) - sentBefore) / 1e6 };
}
