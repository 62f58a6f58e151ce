import assert from 'node:assert/strict';
import { existsSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import https from 'node:https';
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
  assert.match(said, /paused until .*: until then, no file is changed on any host/);
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

it('the old job works on until "resume" switches, and again after "migrate --back"', async (t) => {
  const cluster = await Cluster.make({ mds: ['mds1'] });
  t.after(() => cluster.end());
  const { main } = cluster;
  const cron = path.join(main.root, 'etc/cron.d/xivo-xds-sync');
  const key = path.join(main.root, 'usr/share/xivo-certs/rsync_xds.pub');
  assert.equal((await main.run(['migrate', '--back'])).code, 2, 'there is nothing to go back to');
  for (const [file, content] of [
    [cron, '*/15 * * * * root rsync\n'],
    [key, 'ssh-ed25519 AAAAold root@main\n'],
  ] as const) {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
  for (const both of [[], ['--back', '--compare']]) {
    const { code, stderr } = await main.run(['migrate', ...both]);
    assert.equal(code, 2, 'one of the two has to be chosen');
    assert.match(stderr, /add --compare .*, or --back/);
  }
  // Before the controller has ever run: it starts paused. A second "-i" does not turn off the job that alone is at work.
  assert.match(await main.ok(['init', '--no-service', '--keep-cron']), /the old rsync job keeps running/);
  assert.match(await main.ok(['init', '--no-service']), /the old rsync job keeps running/);
  assert.ok(existsSync(cron));
  await cluster.startMain();
  for (const words of [['migrate', '--compare'], ['-n'], ['sync'], ['mds', 'list']])
    assert.match(await main.ok(words), /^no MDS is enrolled yet: xivo-xds-sync mds add NAME$/m);
  assert.equal(await main.ok(['trash', 'list']), 'the trash is empty\n');
  const mds = cluster.one('mds1');
  main.write('moh', 'new.wav', 'new');
  mds.write('moh', 'mine.wav', 'mine');
  mds.write('moh', 'xds_override_x.wav', 'x');
  await cluster.enrolAndStart(mds);
  const compare = async (): Promise<string> => (await main.run(['migrate', '--compare'])).stdout;
  await eventually('the MDS answers', async () => (await compare()).includes('mine.wav'));
  const said = await compare();
  assert.match(said, /the old rsync job is still active .*xivo-xds-sync resume/);
  assert.match(said, /paused until it is resumed: until then, no file is changed on any host/);
  assert.match(said, /^LOCAL +moh\/mine\.wav/m);
  assert.match(said, /^OVERRIDE +moh\/xds_override_x\.wav/m);
  assert.match(said, /^what is replaced or removed on an MDS goes to its trash/m);
  const { stdout: status } = await main.run(['status']);
  assert.match(status, /paused until it is resumed/);
  assert.doesNotMatch(status, /failed/, 'a full check that changes nothing is no fault during a pause');
  assert.match((await main.run(['sync'])).stderr, /synchronisation is paused; to resume/);
  const published = (): Promise<number> =>
    new Promise((resolve, reject) => {
      const options = { port: cluster.port, path: '/install/rsync_xds.pub', rejectUnauthorized: false };
      https.get(options, (response) => resolve(response.resume().statusCode ?? 0)).on('error', reject);
    });
  assert.equal(await published(), 404, 'the key in use must not be removed');
  await main.stop();
  await cluster.startMain();
  await eventually('the MDS answers again', async () => (await compare()).includes('mine.wav'));
  assert.equal(mds.read('moh', 'new.wav'), undefined, 'a restart is no resume');
  assert.notEqual((await cluster.status()).main.pausedUntil, null);
  assert.match(await main.ok(['resume']), /disabled the old rsync job/);
  assert.ok(!existsSync(cron));
  await cluster.inSync();
  assert.equal(mds.read('moh', 'new.wav'), 'new');
  assert.equal(await published(), 200);

  assert.match(await main.ok(['migrate', '--back', '-n']), /nothing was changed/);
  assert.ok(!existsSync(cron));
  assert.match(
    await main.ok(['migrate', '--back']),
    /the old rsync job is on again[^]*mds_install\.sh --old-key/,
  );
  assert.ok(existsSync(cron));
  assert.notEqual((await cluster.status()).main.pausedUntil, null);
  assert.match(await main.ok(['init', '--no-service']), /the old rsync job keeps running/);
  assert.ok(existsSync(cron));
  await main.ok(['resume']);
  assert.ok(!existsSync(cron));
});
