import assert from 'node:assert/strict';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { it } from 'node:test';
import { Cluster } from '../support/harness/cluster.ts';
import { eventually } from '../support/harness/host.ts';

void it('a recordings folder that Main removed and that holds an override of an MDS stays there, and the MDS is in sync', async (t) => {
  const cluster = await Cluster.start({ mds: ['mds1'] });
  t.after(() => cluster.end());
  const mds = cluster.one('mds1');
  for (const file of ['stays.wav', 'd/call.wav']) cluster.main.write('recordings', file, 'a call');
  await eventually('it is there', () => mds.read('recordings', 'd/call.wav') === 'a call');
  mds.write('recordings', 'd/xds_override_mine', 'mine');
  rmSync(cluster.main.at('recordings', 'd'), { recursive: true });
  await eventually('the call is removed', () => !existsSync(mds.at('recordings', 'd/call.wav')));
  await cluster.inSync();
  assert.equal(mds.read('recordings', 'd/xds_override_mine'), 'mine');
  assert.equal(existsSync(cluster.main.at('recordings', 'd')), false);
  await cluster.main.ok(['sync']);
  assert.equal(existsSync(cluster.main.at('recordings', 'd')), false);
});

void it("of a folder that Main removed, an MDS's local file stays and the delivered ones go, also after a hold", async (t) => {
  const cluster = await Cluster.make({ enrolled: true, mds: ['mds1'] });
  t.after(() => cluster.end());
  const mds = cluster.one('mds1');
  const files = Array.from({ length: 60 }, (_, number) => `d/${number}.wav`);
  for (const file of [...files, 'stays.wav']) cluster.main.write('sounds', file, file);
  await cluster.startMain();
  await cluster.mainHas('sounds', 61);
  mds.start();
  await cluster.inSync();
  mds.write('sounds', 'd/mine.wav', 'mine');
  await eventually('it is known as a local file', async () =>
    (await cluster.statusOf('mds1')).directories.some(
      ({ name, localOnly }) => name === 'sounds' && localOnly === 1,
    ),
  );
  rmSync(cluster.main.at('sounds', 'd'), { recursive: true });
  await eventually('it is held', async () =>
    (await cluster.statusOf('mds1')).directories.some(({ name, held }) => name === 'sounds' && held !== null),
  );
  await cluster.main.ok(['confirm', 'sounds']);
  await eventually('the rest is removed', () => readdirSync(mds.at('sounds', 'd')).join() === 'mine.wav');
  await cluster.inSync();
  assert.equal(mds.read('sounds', 'd/mine.wav'), 'mine');
});
