import assert from 'node:assert/strict';
import { existsSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { it } from 'node:test';
import { Cluster } from '../support/harness/cluster.ts';
import { eventually } from '../support/harness/host.ts';

it('migrating compares before it switches: an MDS that is enrolled during a pause is shown and left alone', async (t) => {
  const cluster = await Cluster.make({ mds: ['mds1'] });
  t.after(() => cluster.end());
  const cron = path.join(cluster.main.root, 'etc/cron.d/xivo-xds-sync');
  mkdirSync(path.dirname(cron), { recursive: true });
  writeFileSync(cron, '*/15 * * * * root rsync\n');
  const mds = cluster.one('mds1');
  cluster.main.write('moh', 'same.wav', 'same');
  mds.write('moh', 'same.wav', 'same');
  // The same to the nanosecond: two writes need not fall into one tick of the clock.
  for (const host of [cluster.main, mds])
    utimesSync(host.at('moh', 'same.wav'), 1_700_000_000, 1_700_000_000);
  cluster.main.write('moh', 'differs.wav', 'as on Main');
  mds.write('moh', 'differs.wav', 'as on the MDS');

  await cluster.startMain();
  await cluster.main.ok(['pause']);
  await cluster.enrolAndStart(mds);
  const compare = async (): Promise<string> => (await cluster.main.run(['migrate', '--compare'])).stdout;
  await eventually('the MDS answers', async () => (await compare()).includes('differs.wav'));
  const said = await compare();
  assert.match(said, /the old rsync job is still active \(.*xivo-xds-sync\)/);
  assert.match(said, /paused until .*: nothing was changed yet/);
  assert.match(said, /mds1 +moh +send +differs\.wav/);
  assert.doesNotMatch(said, /same\.wav/);
  assert.equal(mds.read('moh', 'differs.wav'), 'as on the MDS');

  assert.match(await cluster.main.ok(['init', '--no-service']), /disabled the old rsync job/);
  assert.equal(existsSync(cron), false);
  await cluster.main.ok(['resume']);
  await cluster.inSync();
  assert.equal(mds.read('moh', 'differs.wav'), 'as on Main');
  assert.match(await compare(), /the old rsync job is off\nNOT paused/);
});
