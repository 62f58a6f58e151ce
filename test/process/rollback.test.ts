import assert from 'node:assert/strict';
import { existsSync, unlinkSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import type { HistoryEntry, RolledBack } from '../../controller/control/contract/contract.ts';
import { Cluster } from '../support/harness/cluster.ts';
import { eventually } from '../support/harness/host.ts';
import { HostileAgent } from '../support/harness/hostileAgent.ts';

const CONFIG = `settle: 100ms
directories:
  - { name: dialplan }
  - { name: moh }
  - { name: sounds }
  - { name: recordings, settle: 200ms }
`;
const plan = (version: number): string => `[default]\nexten = 201,1,NoOp(version ${version})\n`;
const OTHER = '[other]\nexten = 1,1,NoOp()\n';

describe('After three changes, with one MDS away', () => {
  let cluster: Cluster;
  /** The change set that brought the second version to mds2. */
  let second: string;

  const history = async (mds: string): Promise<readonly HistoryEntry[]> =>
    (await cluster.ask('history', { mds, limit: 1_000 })).entries;
  const newestOf = async (mds: string, path: string): Promise<string> => {
    const row = (await history(mds)).find(({ detail }) => detail.startsWith(`${path}: `));
    return row?.changeSet ?? assert.fail(`nothing of ${path} in the history of ${mds}`);
  };

  before(async () => {
    cluster = await Cluster.make({ enrolled: true, config: CONFIG });
    const { main } = cluster;
    main.write('dialplan', 'a.conf', plan(1));
    main.write('dialplan', 'c.conf', OTHER);
    await cluster.startMain();
    for (const mds of cluster.mds) mds.start();
    await cluster.inSync();
    main.write('dialplan', 'a.conf', plan(2));
    for (const mds of cluster.mds)
      await eventually('it is there', () => mds.read('dialplan', 'a.conf') === plan(2));
    await cluster.inSync();
    second = await newestOf('mds2', 'a.conf');
    await cluster.one('mds2').stop();
    cluster.atOnce(() => {
      main.write('dialplan', 'a.conf', plan(3));
      main.write('dialplan', 'new/b.conf', OTHER);
      unlinkSync(main.at('dialplan', 'c.conf'));
    });
    await eventually(
      'the third version is there',
      () =>
        cluster.one('mds1').read('dialplan', 'a.conf') === plan(3) &&
        cluster.one('mds1').read('dialplan', 'new/b.conf') === OTHER &&
        !existsSync(cluster.one('mds1').at('dialplan', 'c.conf')),
    );
    await cluster.inSync();
  });
  after(() => cluster.end());

  const isAsAtFirst = (host: { read: Cluster['main']['read']; at: Cluster['main']['at'] }): void => {
    assert.equal(host.read('dialplan', 'a.conf'), plan(1));
    assert.equal(host.read('dialplan', 'c.conf'), OTHER);
    assert.equal(existsSync(host.at('dialplan', 'new')), false);
  };

  it('a dry run of a rollback shows what would be done and changes nothing', async () => {
    const { stdout, code } = await cluster.main.run(['rollback', second, '-n']);
    assert.equal(code, 0);
    assert.match(stdout, /main +dialplan +restore +a\.conf/);
    assert.match(stdout, /main +dialplan +restore +c\.conf/);
    assert.match(stdout, /main +dialplan +remove +new\/b\.conf/);
    assert.match(stdout, /nothing was changed/);
    assert.equal(cluster.main.read('dialplan', 'a.conf'), plan(3));
    const json = JSON.parse(await cluster.main.ok(['rollback', second, '--dry-run', '--json'])) as RolledBack;
    assert.deepEqual(
      json.actions.map(({ action, path }) => `${action} ${path}`),
      ['restore a.conf', 'restore c.conf', 'remove new', 'remove new/b.conf'],
    );
  });

  it('a rollback brings back what was before the change set, and names the MDS that is behind', async () => {
    const ran = await cluster.main.run(['rollback', second]);
    assert.equal(ran.code, 1, ran.stdout + ran.stderr);
    assert.match(ran.stderr, /behind: mds2/);
    assert.match(ran.stdout, /mds1: in sync/);
    isAsAtFirst(cluster.main);
    isAsAtFirst(cluster.one('mds1'));
    const { stdout: trash } = await cluster.main.run(['trash', 'list']);
    assert.match(trash, /main +dialplan\/a\.conf.*rolled back to before/);
    assert.match(trash, /main +dialplan\/new\/b\.conf/);
  });

  it('history shows the rollback on Main and what it brought as a new change set on the MDS', async () => {
    const onMain = await history('main');
    assert.ok(onMain.every(({ kind, detail }) => kind === 'rollback' && detail.endsWith(second)));
    assert.deepEqual(onMain.map(({ detail }) => detail.split(':')[0]).toReversed(), [
      'a.conf',
      'c.conf',
      'new',
      'new/b.conf',
    ]);
    assert.notEqual(await newestOf('mds1', 'a.conf'), second);
  });

  it('the MDS that was away has it, too, when it is back', async () => {
    cluster.one('mds2').start();
    await eventually('the first version is there', () => {
      return cluster.one('mds2').read('dialplan', 'a.conf') === plan(1);
    });
    await cluster.inSync();
    isAsAtFirst(cluster.one('mds2'));
  });

  it('the rollback can be rolled back, over a restart of Main', async () => {
    const [row] = await history('main');
    await cluster.main.stop();
    await cluster.startMain();
    await cluster.inSync();
    const said = await cluster.main.ok(['rollback', row?.changeSet ?? '']);
    for (const host of [cluster.main, ...cluster.mds]) {
      const seen = ['a.conf', 'new/b.conf', 'c.conf'].map((file) => host.read('dialplan', file));
      assert.deepEqual(
        seen,
        [plan(3), OTHER, undefined],
        `${host.name}, after\n${said}\n${cluster.main.log}\n${host.log}`,
      );
    }
  });

  it('an id that names nothing, or too much, is refused as wrong usage', async () => {
    for (const [id, words] of [
      ['20200101T000000000Z-000', /there is no change set/],
      ['../x', /is not a change set/],
      ['2', /several change sets begin with "2"/],
    ] as const) {
      const ran = await cluster.main.run(['rollback', id]);
      assert.equal(ran.code, 2);
      assert.match(ran.stderr, words);
    }
  });

  it('sounds are rolled back like the dialplan', async () => {
    cluster.main.write('sounds', 'x.wav', 'one');
    await eventually('it is there', () => cluster.one('mds1').read('sounds', 'x.wav') === 'one');
    await eventually('it is reported', async () =>
      (await history('mds1')).some(({ detail }) => detail.startsWith('x.wav: ')),
    );
    const ran = await cluster.main.run(['rollback', await newestOf('mds1', 'x.wav')]);
    assert.match(ran.stdout, /x\.wav/);
    await eventually('it is gone', () => cluster.one('mds1').read('sounds', 'x.wav') === undefined);
  });

  it('a change set that only put an own edit of an MDS right has nothing to undo', async () => {
    const mds1 = cluster.one('mds1');
    mds1.write('dialplan', 'a.conf', plan(99));
    await eventually('it is restored', () => mds1.read('dialplan', 'a.conf') === plan(3));
    await eventually(
      'it is reported',
      async () => (await history('mds1')).find(({ kind }) => kind !== 'dialplan')?.kind === 'restore',
    );
    const ran = await cluster.main.run(['rollback', await newestOf('mds1', 'a.conf')]);
    assert.equal(ran.code, 1);
    assert.match(ran.stderr, /nothing to undo/);
  });

  it('a version that is not kept is named, and nothing is changed at all', async () => {
    const { main } = cluster;
    main.write('dialplan', 'big.conf', '; a comment\n'.repeat(500_000));
    await eventually('it is there', () => existsSync(cluster.one('mds1').at('dialplan', 'big.conf')));
    await cluster.inSync();
    cluster.atOnce(() => {
      main.write('dialplan', 'big.conf', OTHER);
      main.write('dialplan', 'a.conf', plan(4));
    });
    for (const [file, content] of [
      ['a.conf', plan(4)],
      ['big.conf', OTHER],
    ] as const)
      await eventually(`${file} is there`, () => cluster.one('mds1').read('dialplan', file) === content);
    await cluster.inSync();
    const ran = await main.run(['rollback', await newestOf('mds1', 'a.conf')]);
    assert.equal(ran.code, 1);
    assert.match(ran.stderr, /nothing was changed: big\.conf .*not kept/);
    assert.equal(main.read('dialplan', 'a.conf'), plan(4));
  });

  it('an MDS that takes the name of another one’s change set does not decide what is undone', async () => {
    const set = await newestOf('mds1', 'c.conf');
    await cluster.one('mds2').stop();
    const hostile = await HostileAgent.connect(cluster.one('mds2'), cluster.port);
    const action = { directory: 'dialplan', action: 'send', path: 'a.conf', bytes: 0, reason: '' } as const;
    hostile.say({ type: 'applied', directory: 'dialplan', changeSet: set, actions: [action] });
    await eventually('it is reported', async () => (await history('mds2'))[0]?.changeSet === set);
    hostile.socket.terminate();
    const ran = await cluster.main.run(['rollback', set, '-n']);
    assert.equal(ran.code, 1);
    assert.match(ran.stderr, /does not name one change set alone: dialplan on mds1, dialplan on mds2/);
  });
});
