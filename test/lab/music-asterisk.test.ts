import assert from 'node:assert/strict';
import { mkdirSync, utimesSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Cluster, type Mds } from '../support/harness/cluster.ts';
import { eventually } from '../support/harness/host.ts';
import { AsteriskInstance } from './asterisk/instance.ts';
import { fetchAsterisk } from './asterisk/root.ts';
import { silence } from './asterisk/silence.ts';

const root = fetchAsterisk();

describe('Music in a folder that was empty when Asterisk started', { skip: root.missing ?? false }, () => {
  let cluster: Cluster;
  let asterisk: AsteriskInstance;
  let mds: Mds;

  before(async () => {
    if (root.missing !== undefined) return;
    cluster = await Cluster.make({ mds: ['mds1'] });
    mds = cluster.one('mds1');
    await cluster.startMain();
    const folder = path.join(cluster.folder, 'asterisk');
    mkdirSync(folder);
    const folders = { dialplan: mds.at('dialplan'), moh: mds.at('moh') };
    asterisk = await AsteriskInstance.create(root.folder, folder, folders);
    await cluster.enrol(mds, asterisk.command);
    mds.start();
    await cluster.inSync();
  });
  after(async () => {
    await asterisk?.stop();
    await cluster?.end();
  });

  it('is not called active, and status says what to do', async () => {
    const { folder } = asterisk.folders;
    cluster.main.write('moh', 'one.wav', silence());
    let message = '';
    await eventually('status says it', async () => {
      const { errors } = await cluster.statusOf('mds1');
      message = errors.find((error) => error.path === 'moh')?.message ?? '';
      return message !== '';
    });
    assert.match(message, /does not know the class \[default\]/);
    const remedy = `touch ${folder}/etc/musiconhold.conf && asterisk -rx 'moh reload'`;
    assert.ok(message.includes(remedy), message);
    const { reloads, owedReloads, inSync } = await cluster.statusOf('mds1');
    assert.deepEqual(
      [reloads.findLast(({ kind }) => kind === 'moh')?.ok, owedReloads, inSync],
      [false, ['moh'], false],
    );
    assert.ok(mds.read('moh', 'one.wav') !== undefined, 'music is not taken back');
    const synced = await cluster.main.run(['sync']);
    assert.equal(synced.code, 1);
    assert.match(synced.stdout, /class \[default\]/);
    assert.equal(await asterisk.cli('moh show files'), '');
  });

  it('is active after that, and the pending reload is made by itself', async () => {
    // Another time than before, whatever the resolution that Asterisk compares by.
    const later = Date.now() / 1000 + 5;
    utimesSync(path.join(asterisk.folders.folder, 'etc/musiconhold.conf'), later, later);
    await eventually(
      'it is live',
      async () => (await asterisk.cli('moh show files')).includes('/one'),
      70_000,
    );
    await cluster.inSync();
    assert.deepEqual((await cluster.statusOf('mds1')).owedReloads, []);
    assert.equal((await cluster.main.run(['sync'])).code, 0);
    cluster.main.write('moh', 'two.wav', silence());
    await eventually('the next is live', async () => (await asterisk.cli('moh show files')).includes('/two'));
  });
});
