import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  lutimesSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { Cluster } from '../support/harness/cluster.ts';
import { eventually } from '../support/harness/host.ts';
import { treeOf } from '../support/harness/tree.ts';

void describe('A Main with two MDS', () => {
  let cluster: Cluster;

  before(async () => {
    cluster = await Cluster.make();
    const { main } = cluster;
    main.write('dialplan', 'a.conf', '[default]\nexten = 201,1,NoOp()\n');
    main.write('moh', 'default/one.wav', Buffer.alloc(300_000, 1));
    for (let i = 0; i < 40; i++) main.write('sounds', `fr/digits/${i}.wav`, Buffer.alloc(i * 100, i));
    mkdirSync(main.at('sounds', 'empty'), { recursive: true });
    symlinkSync('digits/1.wav', main.at('sounds', 'fr/one.wav'));
    writeFileSync(
      Buffer.concat([Buffer.from(`${main.at('sounds')}/caf`), Buffer.from([0xe9]), Buffer.from('.wav')]),
      'latin',
    );
    cluster.one('mds1').write('recordings', '100-1.wav', 'recorded on mds1');
    cluster.one('mds1').write('dialplan', 'local.conf', '[local]\n');
    cluster.one('mds1').write('dialplan', 'xds_override_a.conf', '[override]\n');
    await cluster.startMain();
    for (const mds of cluster.mds) await cluster.enrolAndStart(mds);
    await cluster.inSync();
  });
  after(() => cluster.end());

  /** Waits until a directory is the same everywhere, but for what is local. */
  async function same(directory: 'moh' | 'sounds' | 'recordings'): Promise<void> {
    await eventually(`${directory} is the same everywhere`, () => {
      const expected = treeOf(cluster.main.at(directory), { skip: ['recordings'] }).join('\n');
      return cluster.mds.every(
        (mds) => treeOf(mds.at(directory), { skip: ['recordings'] }).join('\n') === expected,
      );
    }).catch((error: unknown) => {
      assert.deepEqual(
        treeOf(cluster.one('mds1').at(directory), { skip: ['recordings'] }),
        treeOf(cluster.main.at(directory), { skip: ['recordings'] }),
        cluster.one('mds1').log,
      );
      throw error;
    });
  }

  void it('delivers every kind of entry with its metadata', async () => {
    for (const directory of ['moh', 'sounds', 'recordings'] as const) await same(directory);
    for (const mds of cluster.mds)
      assert.equal(mds.read('dialplan', 'a.conf'), cluster.main.read('dialplan', 'a.conf'));
  });

  void it('leaves what is local and overrides where they are', () => {
    assert.equal(cluster.one('mds1').read('dialplan', 'local.conf'), '[local]\n');
    assert.equal(cluster.one('mds1').read('dialplan', 'xds_override_a.conf'), '[override]\n');
    assert.equal(cluster.main.read('dialplan', 'local.conf'), undefined);
    assert.equal(cluster.one('mds2').read('dialplan', 'xds_override_a.conf'), undefined);
  });

  void it('reloads what a change touched, and nothing else', async () => {
    const { asterisk } = cluster.one('mds2');
    const before = asterisk.reloads.length;
    cluster.main.write('moh', 'default/two.wav', 'two');
    await same('moh');
    await eventually('moh was reloaded', () => asterisk.reloads.length > before);
    assert.deepEqual(asterisk.reloads.slice(before), ['-rx moh reload']);
  });

  void it('carries edits, renames and removals live', async () => {
    const { main } = cluster;
    writeFileSync(main.at('sounds', 'fr/digits/3.wav'), 'edited');
    renameSync(main.at('sounds', 'fr/digits/4.wav'), main.at('sounds', 'fr/four.wav'));
    unlinkSync(main.at('sounds', 'fr/digits/5.wav'));
    chmodSync(main.at('sounds', 'fr/digits/6.wav'), 0o600);
    utimesSync(main.at('sounds', 'fr/digits/7.wav'), 1_000_000_000, 1_000_000_000.123);
    rmSync(main.at('sounds', 'empty'), { recursive: true });
    await same('sounds');
  });

  void it('renames a whole folder without taking that for a mass deletion', async () => {
    renameSync(cluster.main.at('sounds', 'fr'), cluster.main.at('sounds', 'de'));
    await cluster.inSync();
    await same('sounds');
  });

  void it('brings drift back, and keeps the edit in the trash', async () => {
    const mds = cluster.one('mds1');
    writeFileSync(mds.at('dialplan', 'a.conf'), 'someone edited me');
    await eventually(
      "Main's is back",
      () => mds.read('dialplan', 'a.conf') === cluster.main.read('dialplan', 'a.conf'),
    );
    // Both logs name the file, and where the edit is.
    await eventually('the MDS logs it', () =>
      /drift undone .*path=a\.conf .*edit="in the trash: xivo-xds-sync-agent diff dialplan\/a\.conf"/.test(
        mds.log,
      ),
    );
    await eventually('Main logs it', () =>
      /restore mds=mds1 .*path=a\.conf .*edit="in the trash of mds1: xivo-xds-sync diff mds1 dialplan\/a\.conf"/.test(
        cluster.main.log,
      ),
    );
    unlinkSync(mds.at('dialplan', 'a.conf'));
    await eventually(
      "Main's is back again",
      () => mds.read('dialplan', 'a.conf') === cluster.main.read('dialplan', 'a.conf'),
    );
    await eventually('a removal leaves no edit anywhere', () =>
      /drift undone .*path=a\.conf reason="removed on the MDS \(drift\)"$/m.test(mds.log),
    );
  });

  void it('carries recordings from an MDS to Main and to every other MDS', async () => {
    cluster.one('mds2').write('recordings', 'dir/200-2.wav', 'recorded on mds2');
    await eventually(
      'it is on mds1',
      () => cluster.one('mds1').read('recordings', 'dir/200-2.wav') === 'recorded on mds2',
    );
    assert.equal(cluster.main.read('recordings', 'dir/200-2.wav'), 'recorded on mds2');
    await same('recordings');
  });

  void it('brings a recording back that an MDS removed, and removes it where Main removed it', async () => {
    unlinkSync(cluster.one('mds2').at('recordings', 'dir/200-2.wav'));
    await eventually('it is back', () => existsSync(cluster.one('mds2').at('recordings', 'dir/200-2.wav')));
    unlinkSync(cluster.main.at('recordings', 'dir/200-2.wav'));
    await eventually('it is gone', () =>
      cluster.mds.every((mds) => !existsSync(mds.at('recordings', 'dir/200-2.wav'))),
    );
    await cluster.inSync();
    assert.equal(existsSync(cluster.main.at('recordings', 'dir/200-2.wav')), false);
  });

  void it('reports in status what is on disk', async () => {
    await cluster.inSync();
    const status = await cluster.status();
    for (const { name, digest, files } of status.main.directories) {
      for (const mds of status.mds) {
        const there = mds.directories.find((each) => each.name === name);
        assert.equal(there?.digest, digest, `${name} on ${mds.name}`);
        assert.equal(there?.files, files);
      }
    }
    const dialplan = status.mds
      .find(({ name }) => name === 'mds1')
      ?.directories.find(({ name }) => name === 'dialplan');
    assert.equal(dialplan?.localOnly, 1);
  });

  void it('has nothing to do once it is in sync', async () => {
    const dry = JSON.parse(await cluster.main.ok(['-n', '--json'])) as {
      mds: { ok: boolean; actions: unknown[] }[];
    };
    for (const mds of dry.mds) assert.deepEqual(mds.actions, []);
    const out = await cluster.main.ok([]);
    assert.match(out, /mds1: in sync \(nothing to do\)/);
  });

  void it('catches up after an agent or Main was away', async () => {
    const mds1 = cluster.one('mds1');
    await mds1.kill();
    cluster.main.write('sounds', 'while-away.wav', 'new');
    unlinkSync(cluster.main.at('sounds', 'de/digits/8.wav'));
    mds1.write('recordings', '300-3.wav', 'recorded while the agent was down');
    mds1.start();
    await same('sounds');
    await same('recordings');
    await cluster.main.kill();
    cluster.one('mds2').write('recordings', '400-4.wav', 'recorded while Main was down');
    cluster.main.write('sounds', 'main-away.wav', 'written while the controller was down');
    await cluster.startMain();
    await same('sounds');
    await same('recordings');
    assert.equal(
      readFileSync(cluster.main.at('recordings', '400-4.wav'), 'utf8'),
      'recorded while Main was down',
    );
    assert.ok(statSync(cluster.main.at('recordings', '400-4.wav')).size > 0);
    lutimesSync(cluster.main.at('sounds', 'main-away.wav'), 1, 1);
    await same('sounds');
  });
});
