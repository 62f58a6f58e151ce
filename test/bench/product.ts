import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { VERSION } from '#host/version.ts';
import { copyAll } from './content.ts';
import type { Contestant, Layout, Pair } from './contestant.ts';
import { endCluster, rootsOf, startCluster } from './productCluster.ts';
import { bytesOnWire } from './socketBytes.ts';

const SETUP_LIMIT = 300_000;

/** This program: a Main that runs and knows its files, and an enrolled MDS whose agent is about to start. */
export const product: Contestant = {
  name: 'xivo-xds-sync',
  needs: {},
  version: () => `xivo-xds-sync ${VERSION}${commit()}, Node ${process.versions.node}`,
  kind: 'competitor',
  comparesPasses: true,
  liveChanges: 30,
  hasCommand: true,
  counted: { sender: 'Main', receiver: 'agent' },
  lay,
};

async function lay({ folder, content, files, isFilled, toMain, under }: Layout): Promise<Pair> {
  const directory = toMain ? 'recordings' : 'sounds';
  const cluster = await startCluster(folder, ['mds1'], (made) => {
    const [from, to] = toMain ? [made.one('mds1'), made.main] : [made.main, made.one('mds1')];
    mkdirSync(path.join(from.root, 'outbox'));
    copyAll(content, from.at(directory));
    if (isFilled) copyAll(content, to.at(directory));
  });
  const { main } = cluster;
  const mds = cluster.one('mds1');
  const [from, to] = toMain ? [mds, main] : [main, mds];
  try {
    if (!toMain) await cluster.mainHas('sounds', files, SETUP_LIMIT);
  } catch (error) {
    await endCluster(cluster);
    throw error;
  }
  return {
    source: from.at(directory),
    target: to.at(directory),
    outbox: path.join(from.root, 'outbox'),
    roots: () => rootsOf(cluster),
    start: () => {
      mds.start(under?.('agent'));
      return Promise.resolve();
    },
    isConnected: () => mds.log.includes('connected to Main'),
    settled: () => cluster.inSync(SETUP_LIMIT),
    again: async () => {
      await main.ok(['sync']);
    },
    wireBytes: () => bytesOnWire(cluster.port),
    end: () => endCluster(cluster),
  };
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
