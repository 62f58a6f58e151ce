import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { appendFileSync, existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { Cluster } from '../support/harness/cluster.ts';
import { eventually } from '../support/harness/host.ts';

/** Files of a first pass: several times what is considered for change sets at a time. */
const MANY = 8_000;

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

  it('gets what has just changed before the rest of a first pass, and Main does', async () => {
    const { main } = cluster;
    const mds = cluster.one('mds1');
    await mds.kill();
    for (let i = 0; i < MANY; i++) main.write('recordings', `first/${i}.wav`, randomBytes(2_000));
    // That of the test before is there, too.
    await cluster.mainHas('recordings', MANY + 1, 60_000);
    mds.start();
    const arrived = (): number => {
      const folder = mds.at('recordings', 'first');
      return existsSync(folder) ? readdirSync(folder).length : 0;
    };
    await eventually('the first are there', () => arrived() > 0, 60_000);
    main.write('recordings', 'from Main.wav', 'new');
    mds.write('recordings', 'from the MDS.wav', 'new');
    await eventually(
      'both are there',
      () =>
        mds.read('recordings', 'from Main.wav') === 'new' &&
        main.read('recordings', 'from the MDS.wav') === 'new',
      60_000,
    );
    assert.ok(arrived() < MANY / 2, `they came after ${arrived()} of ${MANY}`);
  });
});
