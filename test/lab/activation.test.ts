import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { after, describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster } from '../support/harness/cluster.ts';
import { eventually } from '../support/harness/host.ts';
import { AsteriskInstance } from './asterisk/instance.ts';
import { fetchAsterisk } from './asterisk/root.ts';
import { silence } from './asterisk/silence.ts';

const DIRECTORIES = '[{ name: dialplan, lint: off }, { name: moh }, { name: sounds }, { name: recordings }]';
const CHANGES = Number(process.env['XDS_ACTIVATIONS'] ?? 30);

/** A Main with MDS that each have a real Asterisk over the agent's own directories. */
class LiveCluster {
  readonly cluster: Cluster;
  readonly asterisks = new Map<string, AsteriskInstance>();

  private constructor(cluster: Cluster) {
    this.cluster = cluster;
  }

  static async start(
    root: string,
    options: { mds: readonly string[]; config?: string },
  ): Promise<LiveCluster> {
    const live = new LiveCluster(await Cluster.make(options));
    const { cluster } = live;
    cluster.main.write('dialplan', 'a.conf', plan(1));
    cluster.main.write('moh', 'default/first.wav', silence());
    await cluster.startMain();
    for (const mds of cluster.mds) {
      mds.write('dialplan', 'z-local.conf', '[local]\nexten = 1,1,NoOp()\n');
      mkdirSync(mds.at('moh', 'default'), { recursive: true });
      mds.write('moh', 'default/local.wav', silence());
      const folder = path.join(cluster.folder, `asterisk-${mds.name}`);
      mkdirSync(folder);
      const folders = { dialplan: mds.at('dialplan'), moh: mds.at('moh', 'default') };
      const asterisk = await AsteriskInstance.create(root, folder, folders);
      live.asterisks.set(mds.name, asterisk);
      await cluster.enrol(mds, asterisk.command);
      mds.start();
    }
    await cluster.inSync();
    return live;
  }

  async cli(mds: string, line: string): Promise<string> {
    return (await this.asterisks.get(mds)?.cli(line)) ?? '';
  }

  async end(): Promise<void> {
    await Promise.all([...this.asterisks.values()].map((asterisk) => asterisk.stop()));
    await this.cluster.end();
  }
}

function plan(version: number): string {
  return `[default]\nexten = 201,1,NoOp(version ${version})\n same = n,Hangup()\n`;
}

function realAsterisk(t: TestContext): string | undefined {
  const root = fetchAsterisk();
  if (root.missing === undefined) return root.folder;
  t.skip(root.missing);
  return undefined;
}

describe('With a real Asterisk on every MDS', () => {
  let live: LiveCluster | undefined;
  after(async () => live?.end());

  it('a change on Main is active everywhere without anyone doing anything', async (t) => {
    const root = realAsterisk(t);
    if (root === undefined) return;
    live = await LiveCluster.start(root, { mds: ['mds1', 'mds2'] });
    const { cluster } = live;
    cluster.main.write('dialplan', 'b.conf', '[default]\nexten = 777,1,NoOp(new)\n');
    cluster.main.write('moh', 'default/second.wav', silence());
    for (const { name } of cluster.mds) {
      await eventually(
        `777 is active on ${name}`,
        async () => (await live?.cli(name, 'dialplan show 777@default'))?.includes('new') === true,
      );
      await eventually(
        `the music is there on ${name}`,
        async () => (await live?.cli(name, 'moh show files'))?.includes('second') === true,
      );
    }
    await cluster.inSync();
  });

  it('a change is active within a moment', async (t) => {
    if (live === undefined) return t.skip('there is no Asterisk');
    const { cluster } = live;
    const times: number[] = [];
    for (let i = 0; i < CHANGES; i++) {
      const startedAt = performance.now();
      cluster.main.write('dialplan', 'a.conf', plan(100 + i));
      await eventually(
        'it is active',
        async () =>
          (await live?.cli('mds1', 'dialplan show 201@default'))?.includes(`version ${100 + i}`) === true,
      );
      times.push(performance.now() - startedAt);
      await sleep(100);
    }
    times.sort((a, b) => a - b);
    const at = (share: number): string =>
      `${Math.round(times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0)} ms`;
    t.diagnostic(`from save to active over ${CHANGES} changes: p50 ${at(0.5)}, p99 ${at(0.99)}`);
    assert.ok((await cluster.statusOf('mds1')).lagMs !== null);
  });
});

describe('When Asterisk refuses what lint let through', () => {
  let live: LiveCluster | undefined;
  after(async () => live?.end());

  it('the previous files come back as one set, and status shows file, line and words', async (t) => {
    const root = realAsterisk(t);
    if (root === undefined) return;
    live = await LiveCluster.start(root, { mds: ['mds1'], config: `directories: ${DIRECTORIES}\n` });
    const { cluster } = live;
    const cut = '[default]\nexten = 201,1,NoOp(bad)\n[cut\nexten = 1,1,NoOp()\n';
    cluster.atOnce(() => {
      cluster.main.write('dialplan', 'a.conf', cut);
      cluster.main.write('dialplan', 'c.conf', '[default]\nexten = 888,1,NoOp(came along)\n');
    });
    await eventually('the refusal is reported', async () =>
      (await cluster.statusOf('mds1')).errors.some(({ message }) => message.includes('Asterisk refused')),
    );
    const mds = cluster.one('mds1');
    const { errors } = await cluster.statusOf('mds1');
    assert.match(errors.map(({ message }) => message).join('\n'), /a\.conf, line 3: .*no closing/);
    assert.equal(mds.read('dialplan', 'a.conf'), plan(1));
    assert.equal(mds.read('dialplan', 'c.conf'), undefined);
    assert.match(await live.cli('mds1', 'dialplan show 201@default'), /version 1/);
    assert.match(await live.cli('mds1', 'dialplan show local'), /'1'/);
  });

  it('other directories continue, and the corrected file goes through by itself', async (t) => {
    if (live === undefined) return t.skip('there is no Asterisk');
    const { cluster } = live;
    cluster.main.write('moh', 'default/other.wav', silence());
    await eventually(
      'the music is there',
      async () => (await live?.cli('mds1', 'moh show files'))?.includes('other') === true,
    );
    cluster.main.write('dialplan', 'a.conf', plan(2));
    await eventually(
      'it is active',
      async () => (await live?.cli('mds1', 'dialplan show 201@default'))?.includes('version 2') === true,
    );
    await eventually(
      'what it kept out, too',
      async () => (await live?.cli('mds1', 'dialplan show 888@default'))?.includes('came along') === true,
    );
    await cluster.inSync();
  });

  it('an Asterisk that was away gets its reload once it is back', async (t) => {
    if (live === undefined) return t.skip('there is no Asterisk');
    const { cluster } = live;
    await live.asterisks.get('mds1')?.stop();
    cluster.main.write('dialplan', 'a.conf', plan(3));
    await eventually('the reload is pending', async () =>
      (await cluster.statusOf('mds1')).owedReloads.includes('dialplan'),
    );
    assert.equal((await cluster.statusOf('mds1')).inSync, false);
    await live.asterisks.get('mds1')?.start();
    await eventually(
      'it is active',
      async () => (await live?.cli('mds1', 'dialplan show 201@default'))?.includes('version 3') === true,
    );
    await cluster.inSync(60_000);
  });
});
