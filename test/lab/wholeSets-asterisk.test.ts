import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { it } from 'node:test';
import { Cluster, type Mds } from '../support/harness/cluster.ts';
import { eventually } from '../support/harness/host.ts';
import { AsteriskInstance } from './asterisk/instance.ts';
import { fetchAsterisk } from './asterisk/root.ts';

const FILES = 500;
/** How often Main goes from one consistent dialplan to the other. */
const SETS = 12;

function write(cluster: Cluster, version: string): void {
  cluster.atOnce(() => {
    for (let i = 0; i < FILES; i++) {
      const extension = `exten = ${1000 + i},1,NoOp(version ${version})`;
      cluster.main.write('dialplan', `f${i}.conf`, `[whole]\n${extension}\n`);
    }
  });
}

/** How many extensions of each version are active. */
async function versions(asterisk: AsteriskInstance): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (const [, version = ''] of (await asterisk.cli('dialplan show whole')).matchAll(
    /NoOp\(version (\w+)\)/g,
  ))
    counts.set(version, (counts.get(version) ?? 0) + 1);
  return counts;
}

async function start(root: string, cluster: Cluster, mds: Mds): Promise<AsteriskInstance> {
  const folder = path.join(cluster.folder, 'asterisk');
  mkdirSync(folder);
  const asterisk = await AsteriskInstance.create(root, folder, { dialplan: mds.at('dialplan') });
  await cluster.enrol(mds, asterisk.command);
  mds.start();
  return asterisk;
}

it(`a set of ${FILES} files is never seen half applied by reloads by hand`, async (t) => {
  const root = fetchAsterisk();
  if (root.missing !== undefined) return t.skip(root.missing);
  const cluster = await Cluster.make({ mds: ['mds1'] });
  let asterisk: AsteriskInstance | undefined;
  try {
    write(cluster, 'v0');
    await cluster.startMain();
    asterisk = await start(root.folder, cluster, cluster.one('mds1'));
    await cluster.inSync();
    const plan = asterisk;
    const isActive = async (version: string): Promise<boolean> =>
      (await versions(plan)).get(version) === FILES;
    await eventually('the first set is active', () => isActive('v0'));

    const mixtures: string[] = [];
    const seen = new Set<string>();
    let reloads = 0;
    const ended = new AbortController();
    const byHand = (async () => {
      while (!ended.signal.aborted) {
        await plan.cli('dialplan reload');
        reloads += 1;
        const counts = await versions(plan);
        for (const version of counts.keys()) seen.add(version);
        // Our reload and this one at a time make Asterisk drop a line now and then: another matter.
        if (counts.size > 1) mixtures.push(JSON.stringify([...counts]));
      }
    })();
    await eventually('the first set was seen after a reload by hand', () => seen.has('v0'));
    for (let set = 1; set <= SETS; set++) {
      write(cluster, `v${set}`);
      await eventually(`set ${set} is active`, () => isActive(`v${set}`));
      await eventually(`set ${set} was seen after a reload by hand`, () => seen.has(`v${set}`));
    }
    ended.abort();
    await byHand;
    await eventually('every line of the last set is active', () => isActive(`v${SETS}`));
    t.diagnostic(`${reloads} reloads by hand while ${SETS} sets of ${FILES} files were applied`);
    assert.deepEqual(mixtures, []);
    assert.equal(seen.size, SETS + 1);
  } finally {
    await asterisk?.stop();
    await cluster.end();
  }
});
