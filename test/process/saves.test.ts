import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import type { HistoryEntry } from '../../controller/control/contract/contract.ts';
import { Cluster } from '../support/harness/cluster.ts';
import { eventually, type Host } from '../support/harness/host.ts';
import { HostileAgent } from '../support/harness/hostileAgent.ts';

type Entry = {
  mds: string;
  kind: string;
  path: string | null;
  actor: string | null;
  changeSet: string;
  save: string | null;
};

const plan = (version: number): string => `[default]\nexten = 201,1,NoOp(version ${version})\n`;

void describe('One save has one id on all hosts', () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await Cluster.make({ enrolled: true, config: 'settle: 100ms\n' });
    cluster.main.write('dialplan', 'a.conf', plan(1));
    cluster.main.write('moh', 'x.wav', 'one');
    await cluster.startMain();
    for (const mds of cluster.mds) mds.start();
    await cluster.inSync();
    const kept = cluster.main.at('moh', '.xivo-xds-sync/versions');
    await eventually('it is kept', () => existsSync(kept) && readdirSync(kept).length > 0);
  });
  after(() => cluster.end());

  const entries = async (asked: {
    readonly path?: string;
    readonly changeSet?: string;
    readonly limit?: number;
  }): Promise<readonly HistoryEntry[]> => (await cluster.ask('history', { limit: 1_000, ...asked })).entries;
  /** The saves by which a host's own history knows a file, newest first. */
  async function ownSaves(host: Host, path: string): Promise<(string | null)[]> {
    const printed = JSON.parse(await host.ok(['history', '--json', '--path', path])) as { entries: Entry[] };
    return printed.entries.map(({ save }) => save);
  }
  async function onAll(
    directory: 'dialplan' | 'moh' | 'recordings',
    file: string,
    content: string,
  ): Promise<void> {
    for (const host of cluster.mds)
      await eventually(`${host.name} has it`, () => host.read(directory, file) === content);
    await cluster.inSync();
  }

  for (const [directory, file, first, second] of [
    ['dialplan', 'a.conf', plan(1), plan(2)],
    ['moh', 'x.wav', 'one', 'two'],
  ] as const) {
    void it(`${directory}: it stands once in the history, with what it did on each MDS, and is rolled back by it`, async () => {
      cluster.main.write(directory, file, second);
      await onAll(directory, file, second);
      const rows = (await entries({ path: `${directory}/${file}`, limit: 2 })).filter(
        ({ kind }) => kind !== 'dialplan',
      );
      assert.deepEqual(rows.map(({ mds }) => mds).toSorted(), ['mds1', 'mds2']);
      const [one, two] = rows;
      assert.ok(one?.save);
      assert.equal(two?.save, one.save);
      assert.notEqual(one.changeSet, two.changeSet);
      assert.equal(one.actor, 'watcher');
      for (const mds of cluster.mds) {
        assert.equal((await ownSaves(mds, `${directory}/${file}`))[0], one.save, 'on the MDS itself, too');
        const own = await mds.ok(['history', '--changeset', one.save]);
        assert.match(own, new RegExp(`^\\S.* ${directory} +main +\\(${one.save}\\)$`, 'm'));
        const { save } = JSON.parse(await mds.ok(['why', `${directory}/${file}`, '--json'])) as Entry;
        assert.equal(save, one.save);
      }
      const why = await cluster.main.ok(['why', `${directory}/${file}`]);
      assert.match(why, new RegExp(`^last change on Main: ${one.save}, by watcher `, 'm'));
      const shown = await cluster.main.ok(['history', '--changeset', one.save]);
      assert.match(shown, new RegExp(`^\\S.* ${directory} +watcher +\\(${one.save}\\)$`, 'm'));
      assert.match(shown, /^ {2}mds1 /m);
      assert.match(shown, /^ {2}mds2 /m);
      assert.equal(shown.match(/^\S/gm)?.length, 1, 'it is one entry');
      const ran = await cluster.main.run(['rollback', one.save]);
      assert.equal(ran.code, 0, ran.stdout + ran.stderr);
      assert.equal(cluster.main.read(directory, file), first);
      await onAll(directory, file, first);
      const by = /rollback (\S+)$/m.exec(ran.stdout)?.[1] ?? '';
      const undone = await entries({ changeSet: by });
      assert.deepEqual([...new Set(undone.map(({ mds }) => mds))].toSorted(), ['main', 'mds1', 'mds2']);
      for (const { actor } of undone.filter(({ kind }) => kind !== 'dialplan'))
        assert.match(actor ?? '', /^command by /);
    });
  }

  void it('recordings: from the MDS that made one to every other', async () => {
    cluster.one('mds1').write('recordings', '100-1.wav', 'hello');
    await onAll('recordings', '100-1.wav', 'hello');
    const rows = await entries({ path: 'recordings/100-1.wav' });
    assert.deepEqual(
      rows.map(({ mds, kind, actor }) => [mds, kind, actor]),
      [
        ['mds2', 'send', 'mds1'],
        ['mds1', 'received', 'mds1'],
      ],
    );
    assert.equal(rows[0]?.save, rows[1]?.save);
    assert.ok(rows[0]?.save);
    for (const mds of cluster.mds)
      assert.deepEqual(await ownSaves(mds, 'recordings/100-1.wav'), [rows[0]?.save]);
  });

  void it('an MDS that was away catches up by the same id; what it undoes there has none', async () => {
    const [mds1, mds2] = [cluster.one('mds1'), cluster.one('mds2')];
    await mds2.stop();
    cluster.main.write('moh', 'x.wav', 'three');
    await eventually('mds1 has it', () => mds1.read('moh', 'x.wav') === 'three');
    await cluster.inSync();
    mds2.start();
    await onAll('moh', 'x.wav', 'three');
    const [save] = await ownSaves(mds1, 'moh/x.wav');
    assert.ok(save);
    assert.equal((await ownSaves(mds2, 'moh/x.wav'))[0], save);
    assert.deepEqual(
      (await entries({ changeSet: save })).map(({ mds }) => mds),
      ['mds2', 'mds1'],
    );
    await cluster.undoes(mds1, 'moh/x.wav', () => mds1.write('moh', 'x.wav', 'edited'));
    await onAll('moh', 'x.wav', 'three');
    assert.equal((await ownSaves(mds1, 'moh/x.wav'))[0], null);
    assert.equal((await entries({ path: 'moh/x.wav', limit: 1 }))[0]?.save, null);
  });

  void it('an MDS that names a change set by a save takes nothing of it', async () => {
    const [save] = await ownSaves(cluster.one('mds1'), 'moh/x.wav').then((all) => all.filter(Boolean));
    assert.ok(save);
    const before = await entries({ changeSet: save });
    await cluster.one('mds2').stop();
    const hostile = await HostileAgent.connect(cluster.one('mds2'), cluster.port);
    const action = {
      directory: 'dialplan',
      action: 'send',
      path: 'a.conf',
      bytes: 0,
      reason: 'lie',
    } as const;
    hostile.say({ type: 'applied', directory: 'dialplan', changeSet: save, actions: [action] });
    await eventually('Main says so', () =>
      cluster.main.log.includes('named a change set by the id of a save'),
    );
    await eventually('it is recorded', async () => (await entries({ limit: 1 }))[0]?.mds === 'mds2');
    hostile.socket.terminate();
    assert.deepEqual(await entries({ changeSet: save }), before);
  });
});
