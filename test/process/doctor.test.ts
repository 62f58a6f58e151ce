import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { Cluster } from '../support/harness/cluster.ts';
import { DIRECTORIES } from '../support/harness/host.ts';

type Checks = { checks: { name: string; result: string; detail: string; remedy?: string }[] };

describe('doctor', () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await Cluster.start({ mds: ['mds1'] });
  });
  after(() => cluster.end());

  it('finds nothing wrong where all is well', async () => {
    for (const host of [cluster.main, cluster.one('mds1')]) {
      const ran = await host.run(['doctor']);
      assert.equal(ran.code, 0, ran.stdout);
      assert.doesNotMatch(ran.stdout, /FAILED/);
      for (const name of Object.keys(DIRECTORIES))
        assert.match(ran.stdout, new RegExp(`ok +directory ${name} `));
    }
    // That an MDS only looked whether Main is there is no alarm.
    await cluster.inSync();
    assert.doesNotMatch(cluster.main.log, /enrolment refused/);
  });

  it('names what is missing and what to do about it', async () => {
    const mds = cluster.one('mds1');
    await cluster.main.stop();
    rmSync(mds.at('moh'), { recursive: true });
    const ran = await mds.run(['doctor', '--json']);
    assert.equal(ran.code, 1);
    const { checks } = JSON.parse(ran.stdout) as Checks;
    const failed = checks.filter(({ result }) => result === 'failed');
    assert.deepEqual(failed.map(({ name }) => name).sort(), ['Main', 'directory moh']);
    assert.ok(failed.every(({ remedy }) => (remedy ?? '') !== ''));
    const main = await cluster.main.run(['doctor']);
    assert.equal(main.code, 1);
    assert.match(main.stdout, /FAILED\s+controller\s+the controller is not running/);
  });
});
