import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../../support/harness/cluster.ts';
import { eventually } from '../../support/harness/host.ts';
import { makeFiles, numberedNames } from '../content.ts';
import { cpuOf, memoryOf } from '../processCost.ts';
import { endCluster, startCluster } from '../productCluster.ts';
import { Results } from '../results.ts';
import type { Scenario } from '../scenario.ts';

/** With a million files a first pass takes many minutes. */
const LIMIT = 3_600_000;
/** Both sides give memory back at rest, at checks that are 10 s apart. */
const REST = 25_000;

export const memory: Scenario = {
  name: 'memory',
  about: 'resident memory of both sides: without files, after a first pass, after a restart',
  measure: async ({ sizes: { idle }, folder, passes, tell }) => {
    const results = new Results({
      title: 'Resident memory, MB',
      columns: [
        'Main at rest',
        'Main at its peak',
        'agent at rest',
        'agent at its peak',
        "agent's start until in sync, s",
        'CPU s of Main',
        'CPU s of the agent',
      ],
      digits: [0, 0, 0, 0, 1, 1, 1],
      hasCost: false,
      ratio: 'none',
      notes: [
        `VmRSS ${REST / 1000} s after both are in sync; VmHWM and CPU of the whole life of each process. Measured once, in the folder for temporary files.`,
      ],
    });
    const measured = async (name: string, cluster: Cluster): Promise<void> => {
      tell(name);
      const began = performance.now();
      cluster.one('mds1').start();
      await atLast('both are in sync', () => cluster.inSync(0));
      const seconds = (performance.now() - began) / 1000;
      await sleep(REST);
      results.add(name, 1, { values: [...both(cluster, inMemory), seconds, ...both(cluster, inUse)] });
    };
    const withFiles = async (files: number, use: (cluster: Cluster) => Promise<void>): Promise<void> => {
      const fill = ({ main }: Cluster): void =>
        makeFiles(main.at('sounds'), numberedNames(files, 1000), { least: 64, most: 300 });
      const cluster = await startCluster(folder, ['mds1'], fill);
      try {
        await atLast('Main has all files', () => cluster.mainHas('sounds', files, 0));
        await use(cluster);
      } finally {
        await endCluster(cluster);
      }
    };
    await passes.attempt(results, 'no files', 1, () =>
      withFiles(0, (cluster) => measured('no files', cluster)),
    );
    const first = `${idle} files, after a first pass`;
    await passes.attempt(results, first, 1, () =>
      withFiles(idle, async (cluster) => {
        await measured(first, cluster);
        await Promise.all([cluster.main, ...cluster.mds].map((host) => host.stop()));
        await cluster.startMain(LIMIT);
        await measured(`${idle} files, both started again`, cluster);
      }),
    );
    return [results];
  },
};

/** Main may be too busy with very many files to answer each question. */
async function atLast(what: string, isSo: () => Promise<void>): Promise<void> {
  await eventually(
    what,
    () =>
      isSo().then(
        () => true,
        () => false,
      ),
    LIMIT,
  );
}

function both({ main, mds }: Cluster, look: (pid: number) => readonly number[]): number[] {
  return [main, ...mds].flatMap(({ pid = 0 }) => look(pid));
}

const inMemory = (pid: number): readonly number[] => {
  const { now, peak } = memoryOf(pid);
  return [now, peak];
};

const inUse = (pid: number): readonly number[] => [cpuOf(pid)];
