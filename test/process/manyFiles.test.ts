import assert from 'node:assert/strict';
import { appendFileSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { Cluster, type Mds } from '../support/harness/cluster.ts';
import { eventually } from '../support/harness/host.ts';
import { treeOf } from '../support/harness/tree.ts';

/** More than one change set. */
const FILES = 2_500;

/** Names of what is being staged. */
function staged(mds: Mds): string[] {
  try {
    return readdirSync(mds.at('sounds', '.xivo-xds-sync/stage'));
  } catch {
    return [];
  }
}

/** True while the agent stages files in a thread of its own. */
function hasThread({ pid }: Mds): boolean {
  const tasks = `/proc/${pid}/task`;
  return readdirSync(tasks).some((task) => {
    try {
      return readFileSync(`${tasks}/${task}/comm`, 'utf8').startsWith('WorkerThread');
    } catch {
      // It has just ended.
      return false;
    }
  });
}

void describe('Thousands of small files', () => {
  let cluster: Cluster;
  let mds: Mds;

  before(async () => {
    cluster = await Cluster.make({ enrolled: true, mds: ['mds1'] });
    mds = cluster.one('mds1');
    // Slow enough to be met in the middle of it.
    appendFileSync(path.join(mds.root, 'etc/xivo-xds-sync/agent.yml'), 'bandwidth: 1MiB\n');
    for (let i = 0; i < FILES; i++)
      cluster.main.write('sounds', `many/${i}.wav`, `${i} `.repeat(1 + ((i * 7) % 500)));
    await cluster.startMain();
    await cluster.mainHas('sounds', FILES, 60_000);
  });
  afterEach(async () => {
    // One that failed before the end.
    if (mds.isRunning) await mds.kill();
  });
  after(() => cluster.end());

  for (const end of ['kill', 'stop'] as const)
    void it(`are staged in a thread; ${end === 'kill' ? 'a kill' : 'SIGTERM'} ends both`, async () => {
      mds.start();
      await eventually('some are being staged', () => staged(mds).length > 50 && hasThread(mds));
      await mds[end]();
      if (end === 'stop') assert.deepEqual(staged(mds), []);
    });

  void it('are all there in the end, as on Main, and the thread has ended', async () => {
    mds.start();
    await cluster.inSync();
    assert.deepEqual(
      treeOf(mds.at('sounds'), { skip: ['recordings'] }),
      treeOf(cluster.main.at('sounds'), { skip: ['recordings'] }),
    );
    const { mode, size } = lstatSync(mds.at('sounds', 'many/7.wav'));
    const there = lstatSync(cluster.main.at('sounds', 'many/7.wav'));
    assert.deepEqual([mode, size], [there.mode, there.size]);
    assert.deepEqual(staged(mds), []);
    await eventually('the thread ends', () => !hasThread(mds));
  });
});
