import { appendFileSync, mkdirSync, renameSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../../support/harness/cluster.ts';
import { copyAll, makeLargeFile } from '../content.ts';
import { onCluster } from '../productCluster.ts';
import { Results } from '../results.ts';
import { measureSaves, p50AndP99 } from '../saves.ts';
import type { Scenario } from '../scenario.ts';
import { bytesOnWire } from '../socketBytes.ts';

/** MiB in a second. */
const CAP = 8;
/** Seconds: until what passes at once has passed, and for which bytes are counted. */
const [FIRST, COUNTED] = [2, 6];
const SAVES = 10;

export const cap: Scenario = {
  name: 'cap',
  about: 'how exactly a bandwidth limit is held',
  measure: async ({ sizes, folder, passes, tell }) => {
    const results = new Results({
      title: `A recording travels with \`bandwidth: ${CAP}MiB\``,
      columns: ['% of the limit', 'dialplan save to visible meanwhile, p50 ms', 'p99 ms'],
      digits: [1, 0, 0],
      hasCost: false,
      ratio: 'none',
      notes: [
        `All bytes both ways, TLS included, for ${COUNTED} s; the first ${FIRST} s do not count. The dialplan is exempt.`,
      ],
    });
    const content = path.join(folder, 'recording');
    makeLargeFile(path.join(content, 'long.wav'), CAP * (FIRST + COUNTED + 4));
    for (let run = 1; run <= sizes.runs; run++)
      for (const [name, toMain] of [
        ['to the MDS', false],
        ['to Main', true],
      ] as const) {
        tell(`run ${run}: ${name}`);
        await passes.attempt(results, name, run, async () =>
          results.add(name, run, { values: await measureCap(folder, content, toMain) }),
        );
      }
    return [results];
  },
};

async function measureCap(folder: string, content: string, toMain: boolean): Promise<number[]> {
  const sender = (cluster: Cluster) => (toMain ? cluster.one('mds1') : cluster.main);
  const outgoing = (cluster: Cluster): string => path.join(sender(cluster).root, 'outgoing');
  const prepare = (cluster: Cluster): void => {
    mkdirSync(outgoing(cluster));
    copyAll(content, outgoing(cluster));
  };
  return onCluster(folder, 1, prepare, async (cluster) => {
    const mds = cluster.one('mds1');
    appendFileSync(path.join(mds.root, 'etc/xivo-xds-sync/agent.yml'), `bandwidth: ${CAP}MiB\n`);
    mds.start();
    await cluster.inSync();
    renameSync(outgoing(cluster), sender(cluster).at('recordings', 'new'));
    await sleep(FIRST * 1000);
    const [before, began] = [bytesOnWire(cluster.port), performance.now()];
    const end = began + COUNTED * 1000;
    const delays = await measureSaves(cluster, 'dialplan', SAVES, () => performance.now() > end);
    await sleep(Math.max(0, end - performance.now()));
    const bytes = bytesOnWire(cluster.port) - before;
    const seconds = (performance.now() - began) / 1000;
    return [(100 * bytes) / seconds / (CAP << 20), ...p50AndP99(delays)];
  });
}
