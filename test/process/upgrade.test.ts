import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { buildVersion } from '../support/harness/build.ts';
import { Cluster, type Mds } from '../support/harness/cluster.ts';
import { eventually, type Ran } from '../support/harness/host.ts';
import { HELLO, HostileAgent } from '../support/harness/hostileAgent.ts';
import { AgentVersions } from '../support/harness/packagedMds.ts';

const OLD = '0.8.0';
const NEW = '0.9.0';
const BROKEN = '0.9.1';

describe('xivo-xds-sync mds upgrade', { skip: process.getuid?.() === 0 ? false : 'installs as root' }, () => {
  let folder: string;
  let versions: AgentVersions;
  let cluster: Cluster;
  let mds1: Mds;
  let mds2: Mds;

  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'xds-upgrade-'));
    versions = new AgentVersions(folder);
    for (const version of [OLD, NEW]) await versions.build(version);
    versions.buildBroken(BROKEN);
    cluster = await Cluster.make({ enrolled: true, config: 'canary: [mds2]\n' });
    [mds1, mds2] = [cluster.one('mds1'), cluster.one('mds2')];
    for (const mds of [mds1, mds2]) versions.install(mds, OLD);
    await mainBecomes(NEW);
    for (const mds of cluster.mds) mds.start();
    await cluster.inSync();
  });
  after(async () => {
    for (const mds of cluster.mds) endInstalled(mds);
    await cluster.end();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Main as its package of that version has it, the agent's package included. */
  async function mainBecomes(version: string): Promise<void> {
    const place = path.join(folder, `main-${version}/usr`);
    await cluster.main.stop();
    cluster.main.launcher = await buildVersion('xivo-xds-sync', {
      folder: path.join(place, 'lib/xivo-xds-sync'),
      version,
    });
    versions.pack(version, path.join(place, 'share/xivo-xds-sync/xivo-xds-sync-agent.deb'));
    await cluster.startMain();
  }

  /** The agent that the installer started is no child of this test. */
  function endInstalled(mds: Mds): void {
    const file = path.join(mds.root, 'run/xivo-xds-sync/agent.pid');
    if (!existsSync(file)) return;
    try {
      process.kill(Number(readFileSync(file, 'utf8')), 'SIGKILL');
    } catch {
      // It has ended.
    }
  }

  function upgrade(...args: string[]): Promise<Ran> {
    return cluster.main.run(['mds', 'upgrade', ...args]);
  }

  async function connected(name: string): Promise<void> {
    await eventually(
      `${name} is connected`,
      async () => (await cluster.statusOf(name)).state === 'connected',
    );
  }

  async function agentVersions(): Promise<string[]> {
    const { mds } = await cluster.status();
    return mds.map(({ name, agentVersion }) => `${name} ${agentVersion}`).toSorted();
  }

  it('asks which MDS when none is named, and refuses unknown names', async () => {
    const neither = await upgrade();
    assert.equal(neither.code, 2);
    assert.match(neither.stderr, /which MDS\? Give its name, or --all/);
    const unknown = await upgrade('nosuch');
    assert.equal(unknown.code, 2);
    assert.match(unknown.stderr, /there is no MDS "nosuch"/);
  });

  it('brings every agent to the version of Main, the canary first, and then there is nothing to do', async () => {
    assert.deepEqual(await agentVersions(), [`mds1 ${OLD}`, `mds2 ${OLD}`]);
    // Each makes room for its new version.
    for (const mds of [mds1, mds2]) mds.expectEnd();
    const ran = await upgrade('--all');
    assert.equal(ran.code, 0, `${ran.stdout}${ran.stderr}\n${cluster.main.log}\n${mds2.log}`);
    assert.match(
      ran.stdout,
      /^mds2: upgraded from 0\.8\.0 to 0\.9\.0 in .*\nmds1: upgraded from 0\.8\.0 to 0\.9\.0 in /,
    );
    assert.deepEqual(await agentVersions(), [`mds1 ${NEW}`, `mds2 ${NEW}`]);
    assert.match(await cluster.main.ok(['mds', 'list']), /^mds1 .* 0\.9\.0$/m);
    cluster.main.write('moh', 'after.wav', 'after');
    await eventually('the new agents work', () =>
      [mds1, mds2].every((mds) => mds.read('moh', 'after.wav') === 'after'),
    );
    const again = await upgrade('--all');
    assert.equal(again.code, 0, again.stderr);
    assert.match(again.stdout, /mds1: already at 0\.9\.0/);
    const one = await upgrade('mds1', '--json');
    assert.deepEqual((JSON.parse(one.stdout) as { mds: unknown[] }).mds, [
      { name: 'mds1', result: 'current', words: 'already at 0.9.0', from: '0.9.0', durationMs: null },
    ]);
  });

  it('puts the old agent back where the new one does not start, and no other MDS gets it', async () => {
    await mainBecomes(BROKEN);
    await Promise.all([connected('mds1'), connected('mds2')]);
    const ran = await upgrade('--all');
    assert.equal(ran.code, 1, ran.stdout);
    assert.match(ran.stdout, /mds2: NOT upgraded: it ended \(7\): see .*agent\.out; 0\.9\.0 was put back/);
    assert.match(ran.stderr, /stopped at mds2: it ended .* Not upgraded: mds1/);
    await connected('mds2');
    assert.deepEqual(await agentVersions(), [`mds1 ${NEW}`, `mds2 ${NEW}`]);
    assert.equal(versions.installed(mds2), NEW);
    cluster.main.write('moh', 'still.wav', 'still');
    await eventually('the old agent works', () => mds2.read('moh', 'still.wav') === 'still');
    assert.match(cluster.main.log, /an agent was not upgraded .*mds=mds2.*was put back/);
  });

  it('reports an MDS that is disconnected, and one whose agent can not do it', async () => {
    endInstalled(mds1);
    await eventually('mds1 is gone', async () => (await cluster.statusOf('mds1')).state === 'disconnected');
    const away = await upgrade('mds1');
    assert.equal(away.code, 1);
    assert.match(away.stdout, /mds1: NOT upgraded: not connected \(was last seen .*\)/);
    assert.match(away.stderr, /not at 0\.9\.1: mds1/);

    const old = await HostileAgent.connect(mds1, cluster.port);
    assert.equal('capabilities' in HELLO, false);
    const tooOld = await upgrade('mds1');
    assert.equal(tooOld.code, 1);
    assert.match(
      tooOld.stdout,
      /mds1: NOT upgraded: its agent \(0\.1\.0\) can't be upgraded from here: run mds_install\.sh there again/,
    );
    old.hangUp();
  });
});
