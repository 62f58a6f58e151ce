import assert from 'node:assert/strict';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { Cluster } from '../support/harness/cluster.ts';
import { eventually, type Host } from '../support/harness/host.ts';

const SONGS = Array.from({ length: 20 }, (_, i) => `album/song ${i}.wav`);

/** Main keeps copies when a directory has been quiet for a moment. */
async function kept(main: Host, count: number): Promise<void> {
  const folder = main.at('moh', '.xivo-xds-sync/versions');
  await eventually(
    `${count} contents are kept`,
    () => existsSync(folder) && readdirSync(folder).length >= count,
  );
}

void describe('What was removed on Main', () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await Cluster.make({
      enrolled: true,
      mds: ['mds1'],
      config: 'settle: 100ms\nguard: { percent: 100, files: 100 }\n',
    });
    for (const song of SONGS) cluster.main.write('moh', song, `sound of ${song}`);
    cluster.main.write('moh', 'other.wav', 'other');
    cluster.main.write('moh', 'large.wav', Buffer.alloc(3 << 20, 'L'));
    await cluster.startMain();
    for (const mds of cluster.mds) mds.start();
    await cluster.inSync();
    await kept(cluster.main, 22);
  });
  after(() => cluster.end());

  const onMds = (path: string): string | undefined => cluster.one('mds1').read('moh', path);

  void it('comes back as one change set: a folder of twenty songs, by its name', async () => {
    cluster.atOnce(() => rmSync(cluster.main.at('moh', 'album'), { recursive: true }));
    await cluster.mainHas('moh', 2);
    await eventually('they are gone on the MDS', () => !existsSync(cluster.one('mds1').at('moh', 'album')));
    await cluster.inSync();
    const shown = await cluster.main.run(['trash', 'restore', '/var/lib/xivo/moh/album', '-n']);
    assert.equal(shown.code, 0, shown.stderr);
    assert.match(shown.stdout, /nothing was changed: 21 entries of moh would be restored/);
    assert.match(shown.stdout, /song 3\.wav .* would be restored$/m);
    assert.equal(cluster.main.read('moh', SONGS[3] ?? ''), undefined);
    const ran = await cluster.main.run(['trash', 'restore', '/var/lib/xivo/moh/album']);
    assert.equal(ran.code, 0, ran.stdout + ran.stderr);
    assert.match(ran.stdout, /restored 21 entries of moh; to undo that: xivo-xds-sync rollback \S+/);
    for (const song of SONGS) {
      assert.equal(cluster.main.read('moh', song), `sound of ${song}`);
      assert.equal(onMds(song), `sound of ${song}`);
    }
    const again = await cluster.main.run(['trash', 'restore', 'moh/album']);
    assert.notEqual(again.code, 0);
  });

  void it('comes back by the change set that removed it, and by a time', async () => {
    rmSync(cluster.main.at('moh', SONGS[5] ?? ''));
    rmSync(cluster.main.at('moh', 'large.wav'));
    await eventually(
      'all is gone on the MDS',
      () => onMds('large.wav') === undefined && onMds(SONGS[5] ?? '') === undefined,
    );
    // And Main has heard of it, for its history.
    await cluster.inSync();
    const before = new Date(Date.now() - 60_000).toISOString();
    const { entries } = JSON.parse(await cluster.main.ok(['history', '--json'])) as {
      entries: { changeSet: string; path: string }[];
    };
    const id = entries.find(({ path }) => path === 'large.wav')?.changeSet ?? '';
    const shown = await cluster.main.ok(['trash', 'restore', id, '-n']);
    assert.match(shown, new RegExp(`large\\.wav .* would be restored: ${id} removed or replaced it$`, 'm'));
    const undoing = await cluster.main.ok(['rollback', id, '-n']);
    assert.match(undoing, new RegExp(`large\\.wav .* would be rolled back to before ${id}$`, 'm'));
    const ran = await cluster.main.run(['trash', 'restore', id]);
    assert.equal(ran.code, 0, ran.stdout + ran.stderr);
    assert.equal(cluster.main.read('moh', 'large.wav')?.length, 3 << 20);
    await eventually('it is on the MDS', () => onMds('large.wav')?.length === 3 << 20);
    assert.equal(
      (await cluster.main.run(['trash', 'restore', 'moh', '--at', before])).code,
      1,
      'older than the log',
    );
    cluster.main.write('moh', 'other.wav', 'replaced');
    await eventually('it is replaced on the MDS', () => onMds('other.wav') === 'replaced');
    assert.equal((await cluster.main.run(['trash', 'restore', 'moh/other.wav'])).code, 0);
    assert.equal(cluster.main.read('moh', 'other.wav'), 'other');
    assert.equal((await cluster.main.run(['trash', 'restore', 'moh', '--at', 'noon'])).code, 2);
  });

  void it('is rolled back with everything after it, sounds and music, too', async () => {
    await cluster.inSync();
    cluster.main.write('moh', 'other.wav', 'wrong');
    await eventually('it is delivered', () => onMds('other.wav') === 'wrong');
    await cluster.inSync();
    const { entries } = JSON.parse(await cluster.main.ok(['history', '--json', '--limit', '1'])) as {
      entries: { changeSet: string }[];
    };
    const [last] = entries;
    const ran = await cluster.main.run(['rollback', last?.changeSet ?? '']);
    assert.equal(ran.code, 0, ran.stdout + ran.stderr);
    assert.equal(cluster.main.read('moh', 'other.wav'), 'other');
    assert.equal(onMds('other.wav'), 'other');
  });

  void it('is in the history with who did it, when, why and how much, like everything that people do', async () => {
    const from = Date.now();
    await cluster.main.ok(['pause', '--for', '1m']);
    await cluster.main.ok(['resume']);
    await cluster.main.ok(['mds', 'add', 'mds7']);
    type Entry = {
      kind: string;
      actor: string;
      mds: string;
      path: string | null;
      reason: string;
      bytes: number | null;
      durationMs: number | null;
    };
    const entries = async (...args: string[]): Promise<Entry[]> =>
      (JSON.parse(await cluster.main.ok(['history', '--json', ...args])) as { entries: Entry[] }).entries;
    const deeds = await entries('--since', new Date(from).toISOString());
    assert.deepEqual(
      deeds.map(({ kind, mds }) => [kind, mds]),
      [
        ['mds-add', 'mds7'],
        ['resume', 'main'],
        ['pause', 'main'],
      ],
    );
    for (const { actor } of deeds) assert.match(actor, /^command by \S+/);
    const large = await entries('--path', '/var/lib/xivo/moh/large.wav', '--mds', 'mds1');
    assert.ok(large.every(({ path }) => path === 'large.wav'));
    assert.ok(large.some(({ kind, bytes, reason }) => kind === 'send' && bytes === 3 << 20 && reason !== ''));
    for (const entry of [...deeds, ...large]) assert.ok((entry.durationMs ?? -1) >= 0, JSON.stringify(entry));
    // Found when Main started, removed by a user, restored by a command: newest first.
    assert.deepEqual(
      large.map(({ kind, actor }) => [kind, actor.replace(/ by .*/, ' by a user')]),
      [
        ['send', 'command by a user'],
        ['remove', 'watcher'],
        ['send', 'reconcile'],
      ],
    );
    assert.deepEqual(await entries('--until', new Date(from - 86_400_000).toISOString()), []);
    assert.deepEqual(await entries('--directory', 'sounds'), []);
    assert.equal(await cluster.main.ok(['history', '--directory', 'sounds']), 'no entries\n');
    assert.ok((await entries('--since', '1h')).length > 50, 'a day is shown whole');
    const cut = await cluster.main.ok(['history', '--since', '1h', '--limit', '1']);
    assert.match(cut, /^only the 1 most recent change sets of that time: --limit shows more$/m);
    for (const wrong of [
      ['--directory', 'nope'],
      ['--since', 'noon'],
      ['--changeset', '20200101T000000000Z-0'],
    ])
      assert.equal((await cluster.main.run(['history', ...wrong])).code, 2, wrong.join(' '));
    assert.match(await cluster.main.ok(['history']), /\(\d{8}T\S+\)\n {2}mds1 {2}send/);
  });
});
