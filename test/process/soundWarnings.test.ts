import assert from 'node:assert/strict';
import { unlinkSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { Cluster } from '../support/harness/cluster.ts';
import { eventually } from '../support/harness/host.ts';
import { wavFile } from '../support/unit/sounds.ts';

describe('A sound that Asterisk can not play', () => {
  let cluster: Cluster;
  const warned = async (): Promise<string[]> =>
    (await cluster.status()).main.directories.flatMap(({ name, warnings }) =>
      warnings.map(({ path }) => `${name}/${path}`),
    );

  before(async () => {
    cluster = await Cluster.make({ enrolled: true, mds: ['mds1'] });
    cluster.main.write('moh', 'default/good.wav', wavFile());
    cluster.main.write('moh', 'default/stereo.wav', wavFile({ channels: 2 }));
    await cluster.startMain();
    for (const mds of cluster.mds) mds.start();
    await cluster.inSync();
  });
  after(() => cluster.end());

  it('is delivered all the same, and status warns of it by name', async () => {
    await eventually('it is reported', async () => (await warned()).length > 0);
    assert.deepEqual(await warned(), ['moh/default/stereo.wav']);
    assert.ok(cluster.one('mds1').read('moh', 'default/stereo.wav'));
    const { stdout, code } = await cluster.main.run(['status']);
    assert.match(
      // Long lines are broken where a terminal is 80 columns wide.
      stdout.replace(/\n +|\n(?=stereo)/g, ' '),
      /WARNING moh\/default\/stereo\.wav: Asterisk can't play it: it is PCM, 8000 Hz, stereo/,
    );
    assert.equal(code, 0);
  });

  it('is reported when it appears, and no longer when it is fixed or removed', async () => {
    cluster.main.write('sounds', 'fr/new.wav', wavFile({ rate: 16_000 }));
    await eventually('it is reported', async () => (await warned()).includes('sounds/fr/new.wav'));
    cluster.main.write('moh', 'default/stereo.wav', wavFile());
    unlinkSync(cluster.main.at('sounds', 'fr/new.wav'));
    await eventually('nothing is reported', async () => (await warned()).length === 0);
  });

  it('is known after a restart of Main', async () => {
    cluster.main.write('sounds', 'x.gsm', wavFile());
    await eventually('it is reported', async () => (await warned()).includes('sounds/x.gsm'));
    await cluster.main.stop();
    await cluster.startMain();
    await eventually('it is reported', async () => (await warned()).includes('sounds/x.gsm'));
  });
});
