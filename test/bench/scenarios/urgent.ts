import { existsSync, mkdirSync, renameSync } from 'node:fs';
import path from 'node:path';
import type { Cluster, Mds } from '../../support/harness/cluster.ts';
import { type DirectoryName, eventually, type Host } from '../../support/harness/host.ts';
import { copyAll, makeFiles, makeLargeFile, numberedNames } from '../content.ts';
import { onCluster } from '../productCluster.ts';
import { Results } from '../results.ts';
import { measureSaves, p50AndP99 } from '../saves.ts';
import type { Scenario } from '../scenario.ts';

const LIMIT = 600_000;
const SAVES = 10;
/** Large recordings travel as long as there are such: so many, each of the size that is asked for. */
const RECORDINGS = 3;

/** What is measured, and beside what. */
type Situation = {
  readonly name: string;
  readonly prepare: (cluster: Cluster) => void;
  readonly measure: (cluster: Cluster) => Promise<number[]>;
};

export const urgent: Scenario = {
  name: 'urgent',
  about: 'saves of the dialplan, alone and while much else travels',
  measure: async ({ sizes, folder, passes, tell }) => {
    const results = new Results({
      title: 'A file is saved in place on Main, until it is visible on the MDS',
      columns: ['p50 ms', 'p99 ms', 'saves'],
      digits: 0,
      hasCost: false,
      ratio: 'none',
      notes: [
        `The default \`settle\` of 300 ms is part of it. At most ${SAVES} saves in each run, as long as the rest travels.`,
      ],
    });
    const many = path.join(folder, 'idle');
    const names = numberedNames(sizes.idle, 1000);
    makeFiles(many, names, { least: 64, most: 512 });
    const large = path.join(folder, 'recordings');
    for (let i = 0; i < RECORDINGS; i++) makeLargeFile(path.join(large, `${i}.wav`), sizes.large);
    const size = `${RECORDINGS} recordings of ${sizes.large} MiB travel`;
    const situations = [
      alone('a sound, alone', 'sounds'),
      alone('a dialplan file, alone', 'dialplan'),
      besideRecordings(`a dialplan file, while ${size} to the MDS`, large, false),
      besideRecordings(`a dialplan file, while ${size} to Main`, large, true),
      besideFirstPass(`a dialplan file, during a first pass of ${sizes.idle} files`, many, names),
    ];
    for (let run = 1; run <= sizes.runs; run++)
      for (const { name, prepare, measure } of situations) {
        tell(`run ${run}: ${name}`);
        await passes.attempt(results, name, run, async () => {
          const delays = await onCluster(folder, 1, prepare, measure);
          results.add(name, run, { values: [...p50AndP99(delays), delays.length] });
        });
      }
    return [results];
  },
};

function alone(name: string, directory: DirectoryName): Situation {
  const prepare = (): void => undefined;
  return {
    name,
    prepare,
    measure: async (cluster) => {
      await startAgent(cluster);
      return measureSaves(cluster, directory, SAVES);
    },
  };
}

function besideRecordings(name: string, content: string, toMain: boolean): Situation {
  const endsOf = (cluster: Cluster): { from: Host; to: Host } => {
    const mds = cluster.one('mds1');
    return toMain ? { from: mds, to: cluster.main } : { from: cluster.main, to: mds };
  };
  const outgoingOf = ({ root }: Host): string => path.join(root, 'outgoing');
  return {
    name,
    prepare: (cluster) => {
      const outgoing = outgoingOf(endsOf(cluster).from);
      mkdirSync(outgoing);
      copyAll(content, outgoing);
    },
    measure: async (cluster) => {
      const { from, to } = endsOf(cluster);
      await startAgent(cluster);
      renameSync(outgoingOf(from), from.at('recordings', 'new'));
      const last = numberedNames(RECORDINGS).map((each) => to.at('recordings', `new/${each}`));
      return measureSaves(cluster, 'dialplan', SAVES, () => last.every((file) => existsSync(file)));
    },
  };
}

function besideFirstPass(name: string, content: string, names: readonly string[]): Situation {
  return {
    name,
    prepare: ({ main }) => copyAll(content, main.at('sounds')),
    measure: async (cluster) => {
      await cluster.mainHas('sounds', names.length, LIMIT);
      const mds = cluster.one('mds1');
      mds.start();
      await eventually('the first files are there', () => hasSome(mds, names), LIMIT);
      let seen = 0;
      const isOver = (): boolean => {
        while (seen < names.length && existsSync(mds.at('sounds', names[seen]))) seen++;
        return seen === names.length;
      };
      return measureSaves(cluster, 'dialplan', SAVES, isOver);
    },
  };
}

/** A look at each folder is enough. */
function hasSome(mds: Mds, names: readonly string[]): boolean {
  return names.some((name, i) => i % 100 === 0 && existsSync(mds.at('sounds', name)));
}

async function startAgent(cluster: Cluster): Promise<void> {
  cluster.one('mds1').start();
  await cluster.inSync(LIMIT);
}
