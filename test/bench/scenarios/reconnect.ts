import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../../support/harness/cluster.ts';
import { eventually } from '../../support/harness/host.ts';
import { copyAll, makeFiles, numberedNames } from '../content.ts';
import { AFTERWARDS } from '../measure.ts';
import { cpuOf, metered } from '../processCost.ts';
import { product } from '../product.ts';
import { onCluster, rootsOf } from '../productCluster.ts';
import { Results } from '../results.ts';
import type { Scenario } from '../scenario.ts';
import { bytesOnWire } from '../socketBytes.ts';

const LIMIT = 600_000;
/** What an agent logs after the pass with which a connection begins. */
const DONE = 'reconciled';

export const reconnect: Scenario = {
  name: 'reconnect',
  about: 'an agent that missed nothing starts again',
  measure: async ({ sizes, folder, passes, tell }) => {
    const results = new Results({
      title: `An agent that has missed none of ${sizes.idle} files starts again`,
      columns: ['start until in sync, s', 'kB on the wire, both ways'],
      digits: [2, 1],
      hasCost: true,
      ratio: 'none',
    });
    const content = path.join(folder, 'idle');
    makeFiles(content, numberedNames(sizes.idle, 1000), { least: 64, most: 512 });
    const fill = ({ main, mds }: Cluster): void => {
      for (const host of [main, ...mds]) copyAll(content, host.at('sounds'));
    };
    tell(`an MDS that has the same ${sizes.idle} files`);
    await passes.attempt(results, product.name, 0, () =>
      onCluster(folder, 1, fill, async (cluster) => {
        await startAndWait(cluster);
        await cluster.inSync(LIMIT);
        tell('until Main has made its copies for rollback');
        await atRest(cluster.main.pid ?? 0);
        for (let run = 1; run <= sizes.runs; run++) {
          tell(`run ${run}`);
          await cluster.one('mds1').stop();
          const { result, cost } = await metered(
            () => rootsOf(cluster),
            async () => {
              const seconds = await startAndWait(cluster);
              await sleep(AFTERWARDS);
              return [seconds, bytesOnWire(cluster.port) / 1e3];
            },
          );
          await cluster.inSync(0);
          results.add(product.name, run, { values: result, cost });
        }
      }),
    );
    return [results];
  },
};

/** Resolves when a process has done next to nothing for two seconds: what it does after its first start costs more. */
async function atRest(pid: number): Promise<void> {
  for (let before = -1, now = cpuOf(pid); now - before > 0.05; now = cpuOf(pid)) {
    before = now;
    await sleep(2_000);
  }
}

/** Without a question to Main, which would be part of its cost. @returns seconds until the agent has found nothing missing */
async function startAndWait(cluster: Cluster): Promise<number> {
  const mds = cluster.one('mds1');
  const passes = (): number => mds.log.split(DONE).length;
  const before = passes();
  const began = performance.now();
  mds.start();
  await eventually('the agent has made its first pass', () => passes() > before, LIMIT);
  return (performance.now() - began) / 1000;
}
