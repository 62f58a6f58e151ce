import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Cluster } from '../support/harness/cluster.ts';
import { statusShows } from '../support/harness/statusShows.ts';

void describe('mds forget', () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await Cluster.start({ mds: ['mds1'] });
  });
  after(() => cluster.end());

  void it('refuses one that is enrolled and says what to do first', async () => {
    const ran = await cluster.main.run(['mds', 'forget', 'mds1']);
    assert.equal(ran.code, 1);
    assert.match(ran.stderr, /mds1 is enrolled: run "xivo-xds-sync mds remove mds1" first/);
    assert.equal((await cluster.statusOf('mds1')).state, 'connected');
    assert.equal((await cluster.main.run(['mds', 'forget', 'nope'])).code, 2);
  });

  void it('deletes a removed one from the list, and its key stays refused', async () => {
    const { main } = cluster;
    await main.ok(['mds', 'remove', 'mds1']);
    assert.match(await main.ok(['mds', 'list', '--all']), /mds1 +revoked/);
    const { name } = JSON.parse(await main.ok(['mds', 'forget', 'mds1', '--json'])) as { name: string };
    assert.equal(name, 'mds1');
    assert.doesNotMatch(await main.ok(['mds', 'list', '--all']), /mds1/);
    assert.deepEqual((await cluster.status()).mds, []);
    assert.equal((await main.run(['mds', 'forget', 'mds1'])).code, 2, 'it is forgotten');
    const mds = cluster.one('mds1');
    await mds.stop();
    mds.start();
    await statusShows(mds, /does not know the key of this MDS/, { hint: /does not know the key/ });
    main.write('moh', 'default/later.wav', 'not for it');
    assert.deepEqual((await cluster.status()).mds, []);
    assert.equal(mds.read('moh', 'default/later.wav'), undefined);
  });
});
