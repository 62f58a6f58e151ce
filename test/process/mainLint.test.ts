import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { Cluster } from '../support/harness/cluster.ts';
import { eventually } from '../support/harness/host.ts';

describe('A dialplan that is saved on Main while no MDS is connected', () => {
  let cluster: Cluster;
  const warnings = async (): Promise<string[]> => {
    const { main } = await cluster.status();
    return main.warnings.map(({ path, message }) => `${path}: ${message}`);
  };
  before(async () => {
    cluster = await Cluster.make({ mds: [] });
    cluster.main.write('dialplan', '00-tpl.conf', '[tpl](!)\nexten = 1,1,NoOp()\n');
    cluster.main.write('dialplan', '50-site.conf', '[site](tpl)\nexten = 2,1,NoOp()\n');
    await cluster.startMain();
  });
  after(() => cluster.end());

  it('is checked there: status, log and history name file and line, once each', async () => {
    cluster.main.write('dialplan', 'a.conf', '[a]\nexten = 1,1,NoOp()\n[cut\n');
    await eventually('status names it', async () =>
      (await warnings()).some((each) => /^dialplan\/a\.conf: line 3: .*no closing/.test(each)),
    );
    cluster.main.write('dialplan', 'b.conf', '[b]\nexten = 1,1,NoOp()\n');
    await eventually('the log names it', () => cluster.main.log.includes('a.conf'));
    const { stdout } = await cluster.main.run(['history']);
    assert.deepEqual(stdout.match(/^ .* lint /gm), ['  main  lint '], stdout);
  });

  it('is reported as corrected', async () => {
    cluster.main.write('dialplan', 'a.conf', '[a]\nexten = 1,1,NoOp()\n');
    await eventually('status is clean', async () => (await warnings()).length === 0);
    await eventually('the log says so', () => cluster.main.log.includes('lint recovered'));
  });

  it('names the file that loses the template it depends on', async () => {
    rmSync(cluster.main.at('dialplan', '00-tpl.conf'));
    await eventually('status names its user', async () =>
      (await warnings()).some((each) => each.startsWith('dialplan/50-site.conf: line 1: The template [tpl]')),
    );
  });
});
