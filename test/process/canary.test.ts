import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster } from '../support/harness/cluster.ts';
import { eventually } from '../support/harness/host.ts';

const plan = (version: number): string => `[default]\nexten = 201,1,NoOp(${version})\n`;

describe('With mds1 as the canary', () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await Cluster.make({ enrolled: true, config: 'canary: [mds1]\n' });
    cluster.main.write('dialplan', 'a.conf', plan(1));
    await cluster.startMain();
    for (const mds of cluster.mds) mds.start();
    await cluster.inSync();
  });
  after(() => cluster.end());

  it('a dialplan change reaches mds2 after mds1 has reloaded well', async () => {
    const [mds1, mds2] = [cluster.one('mds1'), cluster.one('mds2')];
    const reloaded = path.join(cluster.folder, 'reloaded');
    mds1.asterisk.answer(`while [ ! -e "${reloaded}" ]; do sleep 0.05; done`);
    cluster.main.write('dialplan', 'a.conf', plan(2));
    await eventually('mds1 has it', () => mds1.read('dialplan', 'a.conf') === plan(2));
    await sleep(500);
    assert.equal(mds2.read('dialplan', 'a.conf'), plan(1), 'mds1 is still reloading');
    writeFileSync(reloaded, '');
    await eventually('mds2 has it', () => mds2.read('dialplan', 'a.conf') === plan(2));
    mds1.asterisk.answer('');
    await cluster.inSync();
  });

  it('a refusal stops the roll-out, and other directories go on', async () => {
    const [mds1, mds2] = [cluster.one('mds1'), cluster.one('mds2')];
    mds1.asterisk.answer(
      "echo 'Unable to connect to remote asterisk (does /run/asterisk.ctl exist?)'; exit 1",
    );
    cluster.main.write('dialplan', 'a.conf', plan(3));
    await eventually('mds1 has it', () => mds1.read('dialplan', 'a.conf') === plan(3));
    cluster.main.write('sounds', 'x.wav', 'x');
    await eventually('sounds go on', () => mds2.read('sounds', 'x.wav') === 'x');
    await sleep(1_000);
    assert.equal(mds2.read('dialplan', 'a.conf'), plan(2));
    const held = (await cluster.statusOf('mds2')).directories.find(({ name }) => name === 'dialplan')?.held;
    assert.match(held ?? '', /waits until the change is good on mds1 \(canary\)/);
    mds1.asterisk.answer('');
    await eventually('mds2 has it', () => mds2.read('dialplan', 'a.conf') === plan(3));
    await cluster.inSync();
  });

  it('confirm releases it without the canary', async () => {
    await cluster.one('mds1').stop();
    cluster.main.write('dialplan', 'a.conf', plan(4));
    await sleep(1_500);
    assert.equal(cluster.one('mds2').read('dialplan', 'a.conf'), plan(3));
    await cluster.main.run(['confirm', 'dialplan']);
    await eventually('mds2 has it', () => cluster.one('mds2').read('dialplan', 'a.conf') === plan(4));
  });
});
