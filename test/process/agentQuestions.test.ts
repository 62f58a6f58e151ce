import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Cluster, type Mds } from '../support/harness/cluster.ts';
import { eventually } from '../support/harness/host.ts';

const TRUNK = '[trunk]\nexten = 1,1,NoOp(Main)\n';
const EDITED = '[trunk]\nexten = 1,1,NoOp(mds1)\n';

type Entry = {
  kind: string;
  path: string | null;
  actor: string | null;
  changeSet: string;
  durationMs: number | null;
};

void describe('On the MDS itself', () => {
  let cluster: Cluster;
  let mds: Mds;
  before(async () => {
    cluster = await Cluster.make({ enrolled: true, mds: ['mds1'], config: 'settle: 100ms\n' });
    mds = cluster.one('mds1');
    cluster.main.write('dialplan', 'trunk.conf', TRUNK);
    cluster.main.write('moh', 'four.wav', 'four');
    await cluster.startMain();
    mds.start();
    await cluster.inSync();
    await cluster.undoes(mds, 'dialplan/trunk.conf', () => mds.write('dialplan', 'trunk.conf', EDITED));
    assert.equal(mds.read('dialplan', 'trunk.conf'), TRUNK);
    mds.write('recordings', '100-1.wav', 'hello');
    await eventually(
      'the recording is on Main',
      () => cluster.main.read('recordings', '100-1.wav') === 'hello',
    );
    await eventually('it is recorded here', async () => (await kindsOf('100-1.wav')).length === 1);
    await cluster.inSync();
  });
  after(() => cluster.end());

  const json = async (...args: string[]): Promise<unknown> =>
    JSON.parse((await mds.run([...args, '--json'])).stdout);
  const entries = async (...args: string[]): Promise<Entry[]> =>
    ((await json('history', ...args)) as { entries: Entry[] }).entries;

  /** What was done to a path, and by whom, newest first. */
  async function kindsOf(path: string): Promise<[string, string | null][]> {
    return (await entries()).filter((each) => each.path === path).map(({ kind, actor }) => [kind, actor]);
  }

  void it('history shows what was done here, by whom, under the ids that Main shows', async () => {
    const all = await entries();
    assert.deepEqual(await kindsOf('trunk.conf'), [
      ['restore', 'mds1'],
      ['send', 'main'],
    ]);
    assert.deepEqual(await kindsOf('100-1.wav'), [['send to Main', 'mds1']]);
    for (const entry of all) assert.ok((entry.durationMs ?? -1) >= 0, JSON.stringify(entry));
    const [restored] = await entries('--path', 'dialplan/trunk.conf', '--limit', '1');
    const onMain = await cluster.main.ok(['history', '--changeset', restored?.changeSet ?? '']);
    assert.match(onMain, /mds1 +restore +trunk\.conf/);
    assert.equal((await entries('--directory', 'moh')).length, 1);
    assert.equal((await mds.run(['history', '--directory', 'nope'])).code, 2);
    assert.equal((await mds.run(['history', 'moh'])).code, 2);
  });

  void it('why and diff show the differences from Main, and the edit', async () => {
    const why = await mds.run(['why', mds.at('dialplan', 'trunk.conf')]);
    assert.equal(why.code, 0, why.stderr);
    assert.match(why.stdout, /in sync: nothing to do on either side/);
    assert.equal((await mds.run(['why', '/nowhere/x'])).code, 2);
    const unknown = await mds.run(['diff', 'moh/not-there.wav']);
    assert.equal(unknown.code, 2);
    assert.match(unknown.stderr, /neither Main nor mds1 has moh\/not-there\.wav/);
    const diff = await mds.run(['diff', 'dialplan']);
    assert.equal(diff.code, 0, diff.stderr);
    assert.match(diff.stdout, /^DRIFT +dialplan\/trunk\.conf/m);
    assert.match(diff.stdout, /^-exten = 1,1,NoOp\(Main\)$/m);
    assert.match(diff.stdout, /^\+exten = 1,1,NoOp\(mds1\)$/m);
    assert.match(diff.stdout, /on Main: xivo-xds-sync adopt mds1 dialplan\/trunk\.conf/);
  });

  void it('all of it works while Main is unreachable, and names the time of its data', async () => {
    await cluster.main.stop();
    await eventually(
      'it is away',
      async () => ((await json('status')) as { link: { state: string } }).link.state !== 'connected',
    );
    const diff = await mds.run(['diff']);
    assert.match(diff.stdout, /not connected to Main: its side is shown as of/);
    const why = await mds.run(['why', 'moh/four.wav']);
    assert.match(why.stdout, /not connected to Main: its side is shown as of/);
    // Restarted, the agent has heard nothing of Main's side.
    await mds.stop();
    mds.start();
    await eventually('it answers', async () => (await mds.run(['status'])).stdout.includes('disconnected'));
    const unknown = await mds.run(['why', 'moh/four.wav']);
    assert.equal(unknown.code, 1);
    assert.match(unknown.stderr, /not been connected to Main since its agent started/);
    assert.match((await mds.run(['trash', 'list'])).stdout, /dialplan\/trunk\.conf/);
    assert.ok((await entries()).length > 0);
    await cluster.startMain();
    await cluster.inSync();
  });

  void it('trash restores an edit as an override, and no file under a name that Main has', async () => {
    const refused = await mds.run(['trash', 'restore', 'dialplan/trunk.conf']);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /--as/);
    const ran = await mds.run([
      'trash',
      'restore',
      'dialplan/trunk.conf',
      '--as',
      'dialplan/xds_override_trunk.conf',
    ]);
    assert.equal(ran.code, 0, ran.stderr);
    assert.equal(mds.read('dialplan', 'xds_override_trunk.conf'), EDITED);
    const [last] = await entries('--limit', '1');
    assert.equal(last?.kind, 'restore');
    assert.match(last.actor ?? '', /^command by /);
    assert.equal((await mds.run(['trash', 'restore', 'dialplan/nothing.conf'])).code, 1);
  });
});
