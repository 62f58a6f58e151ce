import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { PROTOCOL } from '#protocol/version.ts';
import { buildVersion } from '../support/harness/build.ts';
import { Cluster } from '../support/harness/cluster.ts';
import { eventually, type Program } from '../support/harness/host.ts';
import { HELLO, HostileAgent } from '../support/harness/hostileAgent.ts';
import { statusShows } from '../support/harness/statusShows.ts';

/** This tree as the version before and the one after, which speaks a newer protocol, too. */
const VERSIONS = {
  '0.8.0': { oldest: PROTOCOL.newest, newest: PROTOCOL.newest },
  '0.9.0': { oldest: PROTOCOL.newest, newest: PROTOCOL.newest + 1 },
  '2.0.0': { oldest: PROTOCOL.newest + 2, newest: PROTOCOL.newest + 2 },
} as const;
type Version = keyof typeof VERSIONS;

describe('Versions', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'xds-versions-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  async function built(program: Program, version: Version): Promise<readonly string[]> {
    const protocol = VERSIONS[version];
    return buildVersion(program, { folder: path.join(folder, `${program}-${version}`), version, protocol });
  }

  /** A Main and an MDS, each of its version, enrolled while both were of this tree's. */
  async function pair(main: Version, agent: Version): Promise<Cluster> {
    const cluster = await Cluster.start({ mds: ['mds1'] });
    const mds = cluster.one('mds1');
    await Promise.all([mds.stop(), cluster.main.stop()]);
    cluster.main.launcher = await built('xivo-xds-sync', main);
    mds.launcher = await built('xivo-xds-sync-agent', agent);
    await cluster.startMain();
    mds.start();
    return cluster;
  }

  for (const [main, agent] of [
    ['0.9.0', '0.8.0'],
    ['0.8.0', '0.9.0'],
  ] as const) {
    it(`${main} on Main and ${agent} on an MDS work together, both ways`, async (t) => {
      const cluster = await pair(main, agent);
      t.after(() => cluster.end());
      const mds = cluster.one('mds1');
      cluster.main.write('moh', 'from-main.wav', 'm');
      await eventually('Main to MDS', () => mds.read('moh', 'from-main.wav') === 'm');
      mds.write('recordings', 'from-mds.wav', 'r');
      await eventually('MDS to Main', () => cluster.main.read('recordings', 'from-mds.wav') === 'r');
      await cluster.inSync();
      const { version, mds: all } = await cluster.status();
      assert.equal(version, main);
      assert.equal(all[0]?.agentVersion, agent);
      assert.equal((await cluster.main.run(['sync'])).code, 0);
      assert.equal((await cluster.main.run(['verify'])).code, 0);
    });
  }

  it('an agent that is too old is refused, and its MDS says what to do there', async (t) => {
    const cluster = await pair('2.0.0', '0.9.0');
    t.after(() => cluster.end());
    const mds = cluster.one('mds1');
    await statusShows(
      mds,
      /disconnected from Main.*upgrade the agent on this MDS: run mds_install\.sh there again/,
      { hint: /upgrade/ },
    );
    assert.equal((await cluster.statusOf('mds1')).state, 'disconnected');
    assert.match(cluster.main.log, /agent refused .*mds=mds1.*upgrade the agent on this MDS/);
  });

  it('an agent that is too new is refused, and its MDS says what to do on Main', async (t) => {
    const cluster = await pair('0.8.0', '2.0.0');
    t.after(() => cluster.end());
    await statusShows(
      cluster.one('mds1'),
      /disconnected from Main.*upgrade Main: install the package xivo-xds-sync of the agent's version there/,
      { hint: /upgrade/ },
    );
  });

  it('a hello of a much later version is answered with a message, and one with additional fields is understood', async (t) => {
    const cluster = await Cluster.make({ enrolled: true, mds: ['mds1'] });
    t.after(() => cluster.end());
    await cluster.startMain();
    const future = await HostileAgent.connect(cluster.one('mds1'), cluster.port, { hello: false });
    future.say({ type: 'hello', protocol: { oldest: 98, newest: 99 }, version: '99', quantum: [1, 2] });
    const refused = await future.until(({ type }) => type === 'refused');
    assert.match((refused as { reason: string }).reason, /this agent 98 to 99: upgrade Main/);
    await future.untilClosed();

    const newer = await HostileAgent.connect(cluster.one('mds1'), cluster.port, { hello: false });
    const protocol = { ...PROTOCOL, newest: PROTOCOL.newest + 1, preferred: 2 };
    const state = { ...HELLO.state, shard: 7 };
    newer.say({ ...HELLO, protocol, state, capabilities: ['levitation'], mood: 'good' });
    const welcome = await newer.until(({ type }) => type === 'welcome');
    assert.equal((welcome as { protocol: number }).protocol, PROTOCOL.newest);
    newer.hangUp();
  });
});
