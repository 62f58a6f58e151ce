import { setTimeout as sleep } from 'node:timers/promises';
import type { DirectoryName } from '../support/harness/host.ts';
import type { Cluster } from '../support/harness/cluster.ts';
import { quantile } from './spread.ts';

const LIMIT = 60_000;

/**
 * Saves a file on Main again and again, in place, as an editor or a web page does.
 * @param isOver when that is so, what was under way does not count, and no more follows
 * @returns for each save, milliseconds until it is visible on the MDS
 */
export async function measureSaves(
  { main, mds: [mds] }: Cluster,
  directory: DirectoryName,
  saves: number,
  isOver: () => boolean = () => false,
): Promise<number[]> {
  const name = 'saved.conf';
  const delays: number[] = [];
  for (let i = 0; i < saves; i++) {
    // Not in step with any timer.
    await sleep(100 + ((i * 137) % 200));
    const content = `[bench]\nexten = ${1000 + i},1,NoOp(${i})\n`;
    const began = performance.now();
    main.write(directory, name, content);
    while (mds?.read(directory, name) !== content) {
      if (performance.now() - began > LIMIT) throw new Error(`${name} did not come within ${LIMIT} ms`);
      await sleep(2);
    }
    if (isOver()) break;
    delays.push(performance.now() - began);
  }
  return delays;
}

/** The middle and the worst of some delays, as a table shows them. */
export function p50AndP99(delays: readonly number[]): number[] {
  return [quantile(delays, 0.5), quantile(delays, 0.99)];
}
