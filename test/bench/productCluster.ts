import { Cluster } from '../support/harness/cluster.ts';
import { onFreshDisk } from './freshDisk.ts';
import type { Launchers } from './packaged.ts';
import type { Root } from './processCost.ts';

/** How long Main may take to read its directories, of a million files perhaps, milliseconds. */
const START_LIMIT = 600_000;

const running = new Set<Cluster>();

let launchers: Launchers | undefined;

/** From now on the packaged programs are measured. */
export function usePackaged(built: Launchers): void {
  launchers = built;
}

/** How the packaged programs are started. */
export function packaged(): Launchers {
  if (launchers === undefined) throw new Error('the packaged programs have not been built');
  return launchers;
}

/**
 * A Main that runs, and enrolled MDS whose agents do not run yet, all of them the packaged programs.
 * @param folder where all of them are
 * @param prepare is called before Main starts
 */
export async function startCluster(
  folder: string,
  names: readonly string[],
  prepare: (cluster: Cluster) => void = () => undefined,
): Promise<Cluster> {
  process.env['XDS_TEST_DIR'] = folder;
  const cluster = await Cluster.make({ mds: names });
  running.add(cluster);
  const { main } = cluster;
  const usual = main.launcher;
  try {
    prepare(cluster);
    main.launcher = packaged()['xivo-xds-sync'];
    await cluster.startMain(START_LIMIT);
    // The commands of the enrolment are not measured: in this process they cost less.
    main.launcher = usual;
    for (const mds of cluster.mds) {
      await cluster.enrol(mds);
      mds.launcher = packaged()['xivo-xds-sync-agent'];
    }
    main.launcher = packaged()['xivo-xds-sync'];
    return cluster;
  } catch (error) {
    await endCluster(cluster);
    throw error;
  }
}

/**
 * Lends a cluster on a disk of its own, for what is measured of this program alone.
 * @param parent a folder in which there is no other
 * @param many MDS, called mds1 and so on
 * @param prepare is called before Main starts
 */
export async function onCluster<T>(
  parent: string,
  many: number,
  prepare: (cluster: Cluster) => void,
  use: (cluster: Cluster) => Promise<T>,
): Promise<T> {
  return onFreshDisk(parent, 'cluster', async (folder) => {
    const names = Array.from({ length: many }, (_, i) => `mds${i + 1}`);
    const cluster = await startCluster(folder, names, prepare);
    try {
      return await use(cluster);
    } finally {
      await endCluster(cluster);
    }
  });
}

/** The processes of a cluster that run now, by role. */
export function rootsOf({ main, mds }: Cluster): Root[] {
  return [main, ...mds].flatMap((host) =>
    host.pid === undefined ? [] : [{ role: host === main ? 'Main' : 'agent', pid: host.pid }],
  );
}

/** Ends a Main and its agents, and removes their folders. */
export async function endCluster(cluster: Cluster): Promise<void> {
  running.delete(cluster);
  await cluster.end();
}

/** Does so with all that still run. */
export async function endClusters(): Promise<void> {
  await Promise.all([...running].map(endCluster));
}
