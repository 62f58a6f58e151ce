import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { Cluster } from '../support/harness/cluster.ts';
import { eventually } from '../support/harness/host.ts';

describe('An MDS behind a thin line', () => {
  let cluster: Cluster;
  after(() => cluster.end());

  it('keeps to its bandwidth, both ways, and a dialplan change does not wait for a large file', async () => {
    cluster = await Cluster.make({ enrolled: true, mds: ['mds1'] });
    await cluster.startMain();
    const mds = cluster.one('mds1');
    appendFileSync(path.join(mds.root, 'etc/xivo-xds-sync/agent.yml'), 'bandwidth: 1MiB\n');
    mds.start();
    await cluster.inSync();
    const startedAt = performance.now();
    cluster.main.write('sounds', 'large.wav', Buffer.alloc(9 * 1024 * 1024, 1));
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    cluster.main.write('dialplan', 'a.conf', '[default]\nexten = 1,1,NoOp()\n');
    await eventually('the dialplan is there', () => mds.read('dialplan', 'a.conf') !== undefined);
    assert.equal(mds.read('sounds', 'large.wav'), undefined, 'the large file is still under way');
    await eventually('the large file is there', () => mds.read('sounds', 'large.wav') !== undefined, 60_000);
    assert.ok(performance.now() - startedAt > 7_000, 'nine MiB at one MiB a second take some eight seconds');
    mds.write('recordings', 'up.wav', Buffer.alloc(4 * 1024 * 1024, 2));
    const sent = performance.now();
    await eventually(
      'the recording is on Main',
      () => cluster.main.read('recordings', 'up.wav') !== undefined,
      60_000,
    );
    assert.ok(performance.now() - sent > 3_000);
  });
});
