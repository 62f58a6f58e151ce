import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Cluster } from '../support/harness/cluster.ts';
import { eventually } from '../support/harness/host.ts';

const HOLD = /waits until the change is good on mds1 \(canary\)/;

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

  async function dialplanHold(): Promise<string> {
    const { directories } = await cluster.statusOf('mds2');
    return directories.find(({ name }) => name === 'dialplan')?.held ?? '';
  }

  /**
   * Waits until mds2 has a sound that is saved now, and has said so to Main: what Main let it do with the dialplan before
   * is in that report, too.
   */
  async function soundReaches(file: string): Promise<void> {
    const { mds } = await cluster.status();
    const before = mds.find(({ name }) => name === 'mds2')?.directories.find(({ name }) => name === 'sounds');
    cluster.main.write('sounds', file, file);
    await eventually(`mds2 reports ${file}`, async () => {
      const { directories } = await cluster.statusOf('mds2');
      const now = directories.find(({ name }) => name === 'sounds');
      return now?.pending === 0 && now.files === (before?.files ?? 0) + 1;
    });
  }

  it('a dialplan change reaches mds2 after mds1 has reloaded well', async () => {
    const [mds1, mds2] = [cluster.one('mds1'), cluster.one('mds2')];
    const reloaded = path.join(cluster.folder, 'reloaded');
    mds1.asterisk.answer(`while [ ! -e "${reloaded}" ]; do sleep 0.05; done`);
    cluster.main.write('dialplan', 'a.conf', plan(2));
    await eventually('mds1 has it', () => mds1.read('dialplan', 'a.conf') === plan(2));
    await eventually('Main knows that its reload is pending', async () =>
      (await cluster.statusOf('mds1')).owedReloads.includes('dialplan'),
    );
    await soundReaches('while-reloading.wav');
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
    await eventually('Main knows of the refusal', async () => {
      const { reloads, owedReloads } = await cluster.statusOf('mds1');
      return owedReloads.includes('dialplan') && reloads.at(-1)?.ok === false;
    });
    await soundReaches('x.wav');
    assert.match(await dialplanHold(), HOLD);
    assert.equal(mds2.read('dialplan', 'a.conf'), plan(2));
    mds1.asterisk.answer('');
    await eventually('mds2 has it', () => mds2.read('dialplan', 'a.conf') === plan(3));
    await cluster.inSync();
  });

  it('confirm releases it without the canary', async () => {
    await cluster.one('mds1').stop();
    cluster.main.write('dialplan', 'a.conf', plan(4));
    await eventually('mds2 says why it waits', async () => HOLD.test(await dialplanHold()));
    await soundReaches('without-canary.wav');
    assert.equal(cluster.one('mds2').read('dialplan', 'a.conf'), plan(3));
    const { stdout } = await cluster.main.run(['confirm', 'dialplan']);
    assert.match(stdout, /^mds2: confirmed$/m);
    await eventually('mds2 has it', () => cluster.one('mds2').read('dialplan', 'a.conf') === plan(4));
  });
});
