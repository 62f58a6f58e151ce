import assert from 'node:assert/strict';
import { existsSync, readdirSync, renameSync, statSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { Cluster, type Mds } from '../support/harness/cluster.ts';
import { eventually } from '../support/harness/host.ts';
import { treeOf } from '../support/harness/tree.ts';

/** More than Main publishes at a time. */
const FILES = 2_500;

void describe('A folder of thousands of sounds that is renamed on Main', () => {
  let cluster: Cluster;
  let mds: Mds;
  let newest = 'voices-0';

  before(async () => {
    cluster = await Cluster.make({ enrolled: true, mds: ['mds1'] });
    mds = cluster.one('mds1');
    for (let file = 0; file < FILES; file++) cluster.main.write('sounds', `voices-0/${file}.wav`, `${file}`);
    cluster.main.write('sounds', 'voices-0/deep/hello.wav', 'hello');
    await cluster.startMain();
    mds.start();
    await cluster.inSync(60_000);
  });
  after(() => cluster.end());

  const inode = (name: string): number => statSync(mds.at('sounds', name)).ino;

  /** Gives the folder its next name. @returns its old one, and its new one */
  function rename(): readonly [string, string] {
    const before = newest;
    newest = `voices-${Number(before.slice('voices-'.length)) + 1}`;
    renameSync(cluster.main.at('sounds', before), cluster.main.at('sounds', newest));
    return [before, newest];
  }

  function assertSame(): void {
    const [there, here] = [mds, cluster.main].map((host) =>
      treeOf(host.at('sounds'), { skip: ['recordings'] }),
    );
    assert.deepEqual(there, here);
  }

  it('is renamed on the MDS in one step, and the history knows each of its files', async () => {
    const [folder, file] = [inode(newest), inode(`${newest}/7.wav`)];
    // Ends when the MDS has nothing more to do; while it has, files are renamed one by one.
    await cluster.main.ok(['sync']);
    const [before, now] = rename();
    await eventually('the MDS has it', () => existsSync(mds.at('sounds', now)), 60_000);
    // None is missing under both names at any time.
    assert.equal(readdirSync(mds.at('sounds', now)).length, FILES + 1);
    await cluster.inSync(60_000);
    assert.ok(!existsSync(mds.at('sounds', before)));
    assert.deepEqual([inode(now), inode(`${now}/7.wav`)], [folder, file]);
    assertSame();
    const seen = await cluster.main.ok(['history', '--path', `sounds/${now}/7.wav`, '--json']);
    const { entries } = JSON.parse(seen) as { entries: { kind: string; mds: string; reason: string }[] };
    const [entry] = entries.filter(({ mds: name }) => name === 'mds1');
    assert.deepEqual([entry?.kind, entry?.reason], ['send', 'its folder was renamed on Main']);
    assert.match(await cluster.main.ok(['why', `sounds/${now}/7.wav`]), /mds1/);
  });

  it('is watched by its new name', async () => {
    mds.write('sounds', `${newest}/deep/hello.wav`, 'edited here');
    const isAsDelivered = (): boolean => mds.read('sounds', `${newest}/deep/hello.wav`) === 'hello';
    await eventually('the edit is taken back', isAsDelivered, 60_000);
    await cluster.inSync(60_000);
  });

  it('is where Main has it after an MDS that was killed in the middle of it has started again', async () => {
    const file = inode(`${newest}/7.wav`);
    const [, now] = rename();
    await eventually('the MDS has it', () => existsSync(mds.at('sounds', now)), 60_000);
    await mds.kill();
    mds.start();
    await cluster.inSync(60_000);
    assertSame();
    assert.equal(inode(`${now}/7.wav`), file);
  });

  it('is where Main has it in the end, when Main has changed its mind meanwhile', async () => {
    const file = inode(`${newest}/7.wav`);
    const [before, now] = rename();
    await eventually('the MDS has it', () => existsSync(mds.at('sounds', now)), 60_000);
    await Promise.all([mds.kill(), cluster.main.kill()]);
    renameSync(cluster.main.at('sounds', now), cluster.main.at('sounds', before));
    newest = before;
    await cluster.startMain();
    mds.start();
    await cluster.inSync(60_000);
    assertSame();
    assert.equal(inode(`${before}/7.wav`), file);
  });

  it('stays, with the files in it that are this MDS’s own', async () => {
    mds.write('sounds', `${newest}/own.wav`, 'own');
    const [before, now] = rename();
    await eventually(
      'the MDS has its other files',
      () => existsSync(mds.at('sounds', `${now}/7.wav`)),
      60_000,
    );
    await cluster.inSync(60_000);
    assert.deepEqual(readdirSync(mds.at('sounds', before)), ['own.wav']);
    assert.equal(readdirSync(mds.at('sounds', now)).length, FILES + 1);
  });
});
