import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { VERSION } from '#host/version.ts';
import { Cluster } from '../support/harness/cluster.ts';
import { eventually } from '../support/harness/host.ts';
import { copyAll } from './content.ts';
import type { Contestant, Layout, Pair } from './contestant.ts';
import type { Launchers } from './packaged.ts';

const SETUP_LIMIT = 300_000;
const running = new Set<Cluster>();

let launchers: Launchers | undefined;

/** From now on the packaged programs are measured. */
export function usePackaged(built: Launchers): void {
  launchers = built;
}

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

async function lay({ folder, content, files, isFilled, toMain }: Layout): Promise<Pair> {
  process.env['XDS_TEST_DIR'] = folder;
  const cluster = await Cluster.make({ mds: ['mds1'] });
  running.add(cluster);
  const { main } = cluster;
  const mds = cluster.one('mds1');
  if (launchers !== undefined) {
    main.launcher = launchers['xivo-xds-sync'];
    mds.launcher = launchers['xivo-xds-sync-agent'];
  }
  const [from, to] = toMain ? [mds, main] : [main, mds];
  const directory = toMain ? 'recordings' : 'sounds';
  const [source, target, outbox] = [from.at(directory), to.at(directory), path.join(from.root, 'outbox')];
  try {
    mkdirSync(outbox);
    copyAll(content, source);
    if (isFilled) copyAll(content, target);
    await cluster.startMain();
    await cluster.enrol(mds);
    await eventually(
      'Main has scanned',
      async () =>
        toMain ||
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
