import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { Cluster } from '../support/harness/cluster.ts';
import { eventually } from '../support/harness/host.ts';

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

  const entries = async (...args: string[]): Promise<Entry[]> =>
    (JSON.parse(await cluster.main.ok(['history', '--json', ...args])) as { entries: Entry[] }).entries;
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
      const rows = (await entries('--path', `${directory}/${file}`, '--limit', '2')).filter(
        ({ kind }) => kind !== 'dialplan',
      );
      assert.deepEqual(rows.map(({ mds }) => mds).toSorted(), ['mds1', 'mds2']);
      const [one, two] = rows;
      assert.ok(one?.save);
      assert.equal(two?.save, one.save);
      assert.notEqual(one.changeSet, two.changeSet);
      assert.equal(one.actor, 'watcher');
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
      const undone = await entries('--changeset', by);
      assert.deepEqual([...new Set(undone.map(({ mds }) => mds))].toSorted(), ['main', 'mds1', 'mds2']);
      for (const { actor } of undone.filter(({ kind }) => kind !== 'dialplan'))
        assert.match(actor ?? '', /^command by /);
    });
  }

  void it('recordings: from the MDS that made one to every other', async () => {
    cluster.one('mds1').write('recordings', '100-1.wav', 'hello');
    await onAll('recordings', '100-1.wav', 'hello');
    const rows = await entries('--path', 'recordings/100-1.wav');
    assert.deepEqual(
      rows.map(({ mds, kind, actor }) => [mds, kind, actor]),
      [
        ['mds2', 'send', 'mds1'],
        ['mds1', 'received', 'mds1'],
      ],
    );
    assert.equal(rows[0]?.save, rows[1]?.save);
    assert.ok(rows[0]?.save);
  });
});
