import { spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../../support/harness/cluster.ts';
import type { Host } from '../../support/harness/host.ts';
import { cpuOf } from '../processCost.ts';
import { onCluster } from '../productCluster.ts';
import { Results } from '../results.ts';
import type { Scenario } from '../scenario.ts';

/** A command is run so often in each run, since the shell counts in steps of 10 ms. */
const TIMES = 10;

export const start: Scenario = {
  name: 'start',
  about: 'what a command costs, and how long an agent takes to connect',
  measure: async ({ sizes, folder, passes, tell }) => {
    const results = new Results({
      title: 'Start of the programs',
      columns: ['CPU s', 'seconds'],
      digits: 3,
      hasCost: false,
      ratio: 'none',
      notes: [`Commands: the mean of ${TIMES} in each run.`],
    });
    const command = (name: string, run: number, words: readonly string[]): void =>
      results.add(name, run, { values: costOf(words) });
    const measured = async (cluster: Cluster): Promise<void> => {
      const { main } = cluster;
      const mds = cluster.one('mds1');
      const status = [...main.launcher, '--root', main.root, 'status'];
      for (let run = 1; run <= sizes.runs; run++) {
        tell(`run ${run}`);
        command('Node alone, `node -e 0`', run, [...main.launcher.slice(0, -1), '-e', '0']);
        results.add('agent, start until connected', run, { values: await untilConnected(mds) });
        await cluster.inSync();
        command('`status`, one MDS', run, status);
        await Promise.all([main.stop(), mds.stop()]);
        command('`status`, no daemon', run, status);
        await cluster.startMain();
      }
    };
    await passes.attempt(results, 'start', 0, () => onCluster(folder, 1, () => undefined, measured));
    return [results];
  },
};

/** @returns CPU and wall seconds of a command, by the shell's count of what its children used */
function costOf(words: readonly string[]): number[] {
  const script = `i=0; while [ $i -lt ${TIMES} ]; do "$@" >/dev/null 2>&1; i=$((i+1)); done; times`;
  const began = performance.now();
  const { stdout } = spawnSync('sh', ['-c', script, '-', ...words], { encoding: 'utf8' });
  const seconds = (performance.now() - began) / 1000;
  const [, children = ''] = stdout.trim().split('\n');
  const used = [...children.matchAll(/(\d+)m([\d.]+)s/g)].map(
    ([, minutes, rest]) => Number(minutes) * 60 + Number(rest),
  );
  return [used.reduce((sum, each) => sum + each, 0), seconds].map((each) => each / TIMES);
}

/** @returns CPU and wall seconds until an agent that starts is connected to Main */
async function untilConnected(mds: Host): Promise<number[]> {
  const connections = (): number => mds.log.split('connected to Main').length;
  const before = connections();
  const began = performance.now();
  mds.start();
  while (connections() === before) {
    if (!mds.isRunning) throw new Error(`the agent ended: ${mds.log}`);
    await sleep(2);
  }
  const seconds = (performance.now() - began) / 1000;
  return [cpuOf(mds.pid ?? 0), seconds];
}
