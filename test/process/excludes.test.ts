import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { Cluster } from '../support/harness/cluster.ts';
import { eventually } from '../support/harness/host.ts';

const CONFIG = `settle: 100ms
directories:
  - { name: recordings, settle: 100ms }
`;

void describe('An excluded name', () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await Cluster.start({ mds: ['mds1'], config: CONFIG });
    cluster.main.write('dialplan', 'a.conf', '[a]\nexten => 1,1,NoOp()\n');
    cluster.main.write('moh', 'old.tmp', 'delivered before');
    cluster.main.write('moh', 'song.wav', 'music');
    await eventually('it is there', () => cluster.one('mds1').read('moh', 'old.tmp') !== undefined);
    await cluster.inSync();
  });
  after(() => cluster.end());

  void it("of an editor's file reaches no MDS, and Main warns that its own Asterisk reads that file", async () => {
    cluster.main.write('dialplan', 'a.conf.bak', readFileSync(cluster.main.at('dialplan', 'a.conf'), 'utf8'));
    cluster.main.write('dialplan', 'b.conf', '[b]\nexten => 1,1,NoOp()\n');
    await eventually('b is there', () => cluster.one('mds1').read('dialplan', 'b.conf') !== undefined);
    await cluster.inSync();
    assert.equal(cluster.one('mds1').read('dialplan', 'a.conf.bak'), undefined);
    // Long lines are broken at blanks.
    const status = (await cluster.main.ok(['status'])).replaceAll(/\s+/g, ' ');
    assert.match(status, /WARNING dialplan\/a\.conf\.bak: excluded \(\*\.bak\).*Main's own Asterisk/);
    assert.match((await cluster.main.run(['why', 'dialplan/a.conf.bak'])).stdout, /excluded .*\*\.bak/);
    renameSync(cluster.main.at('dialplan', 'a.conf.bak'), cluster.main.at('dialplan', 'a2.conf'));
    cluster.main.write('dialplan', 'a2.conf', '[a2]\nexten => 1,1,NoOp()\n');
    await eventually('it travels under another name', () =>
      existsSync(cluster.one('mds1').at('dialplan', 'a2.conf')),
    );
    await cluster.inSync();
    assert.doesNotMatch(await cluster.main.ok(['status']), /WARNING dialplan/);
  });

  void it('on an MDS stays as it is, bytes and time', async () => {
    const mds = cluster.one('mds1');
    mds.write('recordings', '.DS_Store', 'mine');
    const before = statSync(mds.at('recordings', '.DS_Store'), { bigint: true }).mtimeNs;
    mds.write('recordings', '1.wav', 'said');
    await eventually('the recording is on Main', () => cluster.main.read('recordings', '1.wav') === 'said');
    cluster.main.write('recordings', '.DS_Store', "Main's");
    await cluster.main.ok(['sync']);
    assert.equal(mds.read('recordings', '.DS_Store'), 'mine');
    assert.equal(statSync(mds.at('recordings', '.DS_Store'), { bigint: true }).mtimeNs, before);
    assert.equal(cluster.main.read('recordings', '.DS_Store'), "Main's");
  });

  void it("of a delivered file moves it to the MDS's trash; it is delivered again when its name is no longer excluded", async () => {
    const mds = cluster.one('mds1');
    const restart = async (config: string): Promise<void> => {
      await cluster.main.stop();
      cluster.configure(config);
      await cluster.startMain();
      await cluster.inSync();
    };
    mkdirSync(mds.at('moh', 'own'));
    writeFileSync(mds.at('moh', 'own/x.tmp'), 'local');
    await restart(`${CONFIG}  - { name: moh, exclude: ['*.tmp'] }\n`);
    await eventually('it has gone', () => mds.read('moh', 'old.tmp') === undefined);
    assert.equal(mds.read('moh', 'song.wav'), 'music');
    assert.equal(mds.read('moh', 'own/x.tmp'), 'local');
    assert.equal(cluster.main.read('moh', 'old.tmp'), 'delivered before');
    assert.match(await cluster.main.ok(['trash', 'list', '--mds', 'mds1']), /moh\/old\.tmp/);
    await restart(CONFIG);
    await eventually('it is back', () => mds.read('moh', 'old.tmp') === 'delivered before');
  });

  void it('is refused where its pattern can never match', async () => {
    cluster.configure(`${CONFIG}  - { name: moh, exclude: ['#x'] }\n`);
    const checked = await cluster.main.run(['check-config']);
    assert.equal(checked.code, 2);
    assert.match(checked.stderr + checked.stdout, /exclude.*is a comment/s);
    cluster.configure(CONFIG);
  });
});
