import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { VERSION } from '#host/version.ts';
import { Cluster } from '../support/harness/cluster.ts';
import { eventually } from '../support/harness/host.ts';
import { linkAll } from './content.ts';
import type { Contestant, Layout, Pair } from './contestant.ts';

const SETUP_LIMIT = 300_000;
const running = new Set<Cluster>();

/** This program: a Main that runs and knows its files, and an enrolled MDS whose agent is about to start. */
export const product: Contestant = {
  name: 'xivo-xds-sync',
  needs: {},
  version: () => `xivo-xds-sync ${VERSION}${commit()}, Node ${process.versions.node}`,
  comparesPasses: true,
  liveChanges: 30,
  hasCommand: true,
  lay,
};

async function lay({ content, files, isFilled }: Layout): Promise<Pair> {
  const cluster = await Cluster.make({ mds: ['mds1'] });
  running.add(cluster);
  const { main } = cluster;
  const mds = cluster.one('mds1');
  const [source, target, outbox] = [main.at('sounds'), mds.at('sounds'), path.join(main.root, 'outbox')];
  try {
    mkdirSync(outbox);
    linkAll(content, source);
    if (isFilled) linkAll(content, target);
    await cluster.startMain();
    await cluster.enrol(mds);
    await eventually(
      'Main has scanned',
      async () =>
        (await cluster.status()).main.directories.find(({ name }) => name === 'sounds')?.files === files,
      SETUP_LIMIT,
    );
  } catch (error) {
    await end(cluster);
    throw error;
  }
  return {
    source,
    target,
    outbox,
    roots: () => [
      ...(main.pid === undefined ? [] : [{ role: 'Main', pid: main.pid }]),
      ...(mds.pid === undefined ? [] : [{ role: 'agent', pid: mds.pid }]),
    ],
    start: () => {
      mds.start();
      return Promise.resolve();
    },
    isConnected: () => mds.log.includes('connected to Main'),
    settled: () => cluster.inSync(SETUP_LIMIT),
    again: async () => {
      await main.ok(['sync']);
    },
    end: () => end(cluster),
  };
}

/** Ends every Main and agent that still runs, and removes their folders. */
export async function endClusters(): Promise<void> {
  await Promise.all([...running].map(end));
}

async function end(cluster: Cluster): Promise<void> {
  running.delete(cluster);
  await cluster.end();
}

function commit(): string {
  try {
    const id = execFileSync('git', ['-C', import.meta.dirname, 'rev-parse', '--short', 'HEAD'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return ` (${id.trim()})`;
  } catch {
    // This is an unpacked archive, or git is not installed.
    return '';
  }
}
