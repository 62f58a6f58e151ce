import { renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../../support/harness/cluster.ts';
import { ManyAgents } from '../agents/manyAgents.ts';
import { copyAll, makeFiles, numberedNames } from '../content.ts';
import { cpuOf, memoryOf } from '../processCost.ts';
import { onCluster } from '../productCluster.ts';
import { Results } from '../results.ts';
import type { Scenario } from '../scenario.ts';

const LIMIT = 600_000;
const AN_HOUR = 3_600_000;
/** Main gives memory back at rest, at checks that are 10 s apart and two at least, and is idle after that; milliseconds. */
const REST = 45_000;
const IDLE = 10_000;

export const many: Scenario = {
  name: 'many',
  about: 'a Main with very many agents, which are simulated in one process',
  measure: async ({ sizes, folder, passes, tell }) => {
    const results = new Results({
      title: `Main with ${sizes.agents} connected agents and ${sizes.files} files`,
      columns: [
        'memory at rest, MB',
        'at the peak, MB',
        'idle CPU, % of a core',
        'a file renamed in until all agents have it, s',
      ],
      digits: [0, 0, 1, 2],
      hasCost: false,
      ratio: 'none',
      notes: [
        `The agents are simulated: real connections that compare the manifest, fetch and verify what changes, and report, without files of their own. Idle for ${IDLE / 1000} s.`,
      ],
    });
    const content = path.join(folder, 'small');
    makeFiles(content, numberedNames(sizes.files), { least: 2048, most: 8192 });
    const name = `${sizes.agents} agents`;
    const fill = ({ main }: Cluster): void => copyAll(content, main.at('sounds'));
    await passes.attempt(results, name, 0, () =>
      onCluster(folder, 0, fill, async (cluster) => {
        await cluster.mainHas('sounds', sizes.files, LIMIT);
        tell(`${sizes.agents} agents connect`);
        using agents = await ManyAgents.connect(cluster.port, await tokensOf(cluster, sizes.agents));
        for (let run = 1; run <= sizes.runs; run++) {
          tell(`run ${run}`);
          results.add(name, run, { values: await measureOnce(cluster, agents, `new-${run}.wav`) });
        }
      }),
    );
    return [results];
  },
};

async function tokensOf(cluster: Cluster, many: number): Promise<string[]> {
  const tokens: string[] = [];
  for (let i = 1; i <= many; i++) {
    const { token } = await cluster.ask('mds-add', { name: `mds${i}`, ttlMs: AN_HOUR, replace: false });
    tokens.push(token);
  }
  return tokens;
}

async function measureOnce({ main }: Cluster, agents: ManyAgents, file: string): Promise<number[]> {
  await sleep(REST);
  const pid = main.pid ?? 0;
  const usedBefore = cpuOf(pid);
  await sleep(IDLE);
  const idle = (100 * (cpuOf(pid) - usedBefore)) / (IDLE / 1000);
  const { now, peak } = memoryOf(pid);
  const outgoing = path.join(main.root, file);
  writeFileSync(outgoing, file);
  const onAll = agents.onAll(file);
  const began = performance.now();
  renameSync(outgoing, main.at('sounds', file));
  await onAll;
  return [now, peak, idle, (performance.now() - began) / 1000];
}
