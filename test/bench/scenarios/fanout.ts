import { mkdirSync, renameSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { copyAll, makeFiles, numberedNames } from '../content.ts';
import { onFreshDisk } from '../freshDisk.ts';
import { AFTERWARDS, allVisible } from '../measure.ts';
import { type Cost, metered } from '../processCost.ts';
import type { PrivateSshd } from '../peers/privateSshd.ts';
import { product } from '../product.ts';
import { onCluster, rootsOf } from '../productCluster.ts';
import { Results } from '../results.ts';
import { rsyncOverSsh } from '../peers/rsync.ts';
import type { Scenario } from '../scenario.ts';

const LIMIT = 600_000;

type Taken = { readonly seconds: number; readonly cost: Cost };

export const fanout: Scenario = {
  name: 'fanout',
  about: 'the same files to many MDS that are connected',
  measure: async ({ sizes, folder, passes, sshd, tell }) => {
    const { mds, batch, runs } = sizes;
    const results = new Results({
      title: `${batch} files of 2 to 8 KiB are renamed in, until ${mds} connected MDS have all`,
      columns: ['seconds', "CPU s of Main, or of rsync's client"],
      digits: 2,
      hasCost: true,
      notes: ['rsync is run for one target after the other.'],
    });
    const names = numberedNames(batch);
    const content = path.join(folder, 'batch');
    makeFiles(content, names, { least: 2048, most: 8192 });
    const measures: [string, string, () => Promise<Taken>][] = [
      [product.name, 'Main', () => toMds(folder, content, names, mds)],
      [`${product.name}, one MDS`, 'Main', () => toMds(folder, content, names, 1)],
    ];
    if (sshd !== undefined)
      measures.push(['rsync over ssh', 'client', () => byRsync(folder, content, mds, sshd)]);
    for (let run = 1; run <= runs; run++)
      for (const [name, sender, measure] of measures) {
        tell(`run ${run}: ${name}`);
        await passes.attempt(results, name, run, async () => {
          const { seconds, cost } = await measure();
          results.add(name, run, { values: [seconds, cost.cpu.get(sender) ?? 0], cost });
        });
      }
    return [results];
  },
};

async function toMds(
  folder: string,
  content: string,
  names: readonly string[],
  many: number,
): Promise<Taken> {
  let outgoing = '';
  const prepare = ({ main }: { readonly main: { readonly root: string } }): void => {
    outgoing = path.join(main.root, 'outgoing');
    mkdirSync(outgoing);
    copyAll(content, outgoing);
  };
  return onCluster(folder, many, prepare, async (cluster) => {
    for (const each of cluster.mds) each.start();
    await cluster.inSync(LIMIT);
    const { result: seconds, cost } = await metered(
      () => rootsOf(cluster),
      async () => {
        const began = performance.now();
        renameSync(outgoing, cluster.main.at('sounds', 'batch'));
        await Promise.all(
          cluster.mds.map((each) => allVisible({ target: each.at('sounds', 'batch') }, names)),
        );
        const took = (performance.now() - began) / 1000;
        await sleep(AFTERWARDS);
        return took;
      },
    );
    return { seconds, cost };
  });
}

async function byRsync(folder: string, content: string, many: number, sshd: PrivateSshd): Promise<Taken> {
  return onFreshDisk(folder, 'rsync', async (disk) => {
    const [source, log] = [path.join(disk, 'source'), path.join(disk, 'log')];
    mkdirSync(source);
    copyAll(content, source);
    let client: number | undefined;
    const roots = () => [
      ...(client === undefined ? [] : [{ role: 'client', pid: client }]),
      { role: 'server', pid: sshd.pid },
    ];
    const { result: seconds, cost } = await metered(roots, async () => {
      const began = performance.now();
      for (let i = 1; i <= many; i++) {
        const command = rsyncOverSsh(sshd, source, path.join(disk, `target${i}`), { log });
        client = command.pid;
        await command.succeeded(LIMIT);
      }
      return (performance.now() - began) / 1000;
    });
    return { seconds, cost };
  });
}
