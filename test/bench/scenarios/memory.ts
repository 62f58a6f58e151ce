import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../../support/harness/cluster.ts';
import { copyAll, makeFiles, numberedNames } from '../content.ts';
import { memoryOf } from '../processCost.ts';
import { onCluster } from '../productCluster.ts';
import { Results } from '../results.ts';
import type { Scenario } from '../scenario.ts';

const LIMIT = 600_000;
/** Both sides give memory back at rest, at checks that are 10 s apart. */
const REST = 25_000;

export const memory: Scenario = {
  name: 'memory',
  about: 'resident memory of both sides: without files, after a first pass, after a restart',
  measure: async ({ sizes, folder, passes, tell }) => {
    const results = new Results({
      title: 'Resident memory, MB',
      columns: ['Main at rest', 'Main at its peak', 'agent at rest', 'agent at its peak'],
      digits: 0,
      hasCost: false,
      ratio: 'none',
      notes: [
        `VmRSS ${REST / 1000} s after both are in sync, and VmHWM since the start of the process. Measured once: it varies little.`,
      ],
    });
    const content = path.join(folder, 'idle');
    makeFiles(content, numberedNames(sizes.idle, 1000), { least: 64, most: 512 });
    const measured = async (name: string, cluster: Cluster): Promise<void> => {
      tell(name);
      cluster.one('mds1').start();
      await cluster.inSync(LIMIT);
      await sleep(REST);
      results.add(name, 1, { values: both(cluster) });
    };
    const nothing = 'no files';
    await passes.attempt(results, nothing, 1, () =>
      onCluster(
        folder,
        1,
        () => undefined,
        (cluster) => measured(nothing, cluster),
      ),
    );
    const fill = ({ main }: Cluster): void => copyAll(content, main.at('sounds'));
    const first = `${sizes.idle} files, after a first pass`;
    await passes.attempt(results, first, 1, () =>
      onCluster(folder, 1, fill, async (cluster) => {
        await cluster.mainHas('sounds', sizes.idle, LIMIT);
        await measured(first, cluster);
        await Promise.all([cluster.main, ...cluster.mds].map((host) => host.stop()));
        await cluster.startMain();
        await measured(`${sizes.idle} files, both started again`, cluster);
      }),
    );
    return [results];
  },
};

function both({ main, mds }: Cluster): number[] {
  return [main, ...mds].flatMap(({ pid = 0 }) => {
    const { now, peak } = memoryOf(pid);
    return [now, peak];
  });
}
