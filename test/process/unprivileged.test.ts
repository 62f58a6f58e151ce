import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { bundles, NODE } from '../support/harness/bundles.ts';
import { Cluster } from '../support/harness/cluster.ts';
import { eventually, type Host } from '../support/harness/host.ts';

const notRoot = process.geteuid?.() === 0 ? undefined : 'only root can become another user';
/** The user `nobody`, and the group that is configured for monitoring here. */
const MONITORING = { uid: 65_534, gid: 65_534 };
/** Neither root nor of that group. */
const OTHER_USER = { uid: 65_533, gid: 65_533 };

describe('A user who is not root', { skip: notRoot }, () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await Cluster.start({ mds: ['mds1'], config: 'monitoring: { group: nogroup }\n' });
    // As on a real host: all users may traverse it, and the state belongs to root.
    for (const folder of [cluster.folder, cluster.main.root, cluster.one('mds1').root])
      chmodSync(folder, 0o755);
    // A checkout may be private; the program that is run is readable by all, as in a package.
    cpSync(bundles(), path.join(cluster.folder, 'program'), { recursive: true });
    cpSync(NODE[0], path.join(cluster.folder, 'program/node'), { dereference: true });
    chmodSync(path.join(cluster.folder, 'program'), 0o755);
  });
  after(() => cluster.end());

  async function as(
    who: { uid: number; gid: number },
    host: Host,
    words: readonly string[],
  ): Promise<{ code: number | null; text: string }> {
    const folder = path.join(cluster.folder, 'program');
    const program = path.join(folder, 'lib', host.program, 'program.mjs');
    const child = spawn(
      path.join(folder, 'node'),
      [...NODE.slice(1), program, '--root', host.root, ...words],
      {
        ...who,
        cwd: cluster.folder,
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    let text = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, text };
  }

  it('may ask for the status, for monitoring, when the group is the configured one', async () => {
    await cluster.inSync();
    const ran = await as(MONITORING, cluster.main, ['status', '--check']);
    assert.equal(ran.code, 0, ran.text);
    assert.match(ran.text, /^XDS OK/);
    assert.equal((await as(MONITORING, cluster.main, ['status', '--json'])).code, 0);
    await cluster.one('mds1').stop();
    await eventually('it is away', async () => (await cluster.statusOf('mds1')).state === 'disconnected');
    const away = await as(MONITORING, cluster.main, ['status', '--check', '--max-behind', '0s']);
    assert.equal(away.code, 2, away.text);
    assert.match(away.text, /^XDS CRITICAL/);
    cluster.one('mds1').start();
    await cluster.inSync();
  });

  it('may do nothing else, and without that group not even that', async () => {
    for (const words of [['sync'], ['pause'], ['confirm', 'moh'], ['history']])
      assert.match((await as(MONITORING, cluster.main, words)).text, /permission denied/);
    const ran = await as(OTHER_USER, cluster.main, ['status', '--check']);
    assert.equal(ran.code, 3, ran.text);
    assert.match(ran.text, /^XDS UNKNOWN.*permission denied/);
  });

  it('learns from doctor that it needs root, and gets no false report', async () => {
    for (const host of [cluster.main, cluster.one('mds1')]) {
      const { code, text } = await as(OTHER_USER, host, ['doctor']);
      assert.equal(code, 1);
      assert.match(text, /FAILED +user +user 65533, and this needs root\n.*sudo/);
      assert.doesNotMatch(text, /identity|configuration|enrol|start it/);
    }
  });
});
