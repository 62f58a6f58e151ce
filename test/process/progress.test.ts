import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { Cluster } from '../support/harness/cluster.ts';
import { freePort } from '../support/harness/freePort.ts';
import { eventually } from '../support/harness/host.ts';
import { onTerminal } from '../support/harness/onTerminal.ts';

const MIB = 1024 * 1024;

describe('What is on its way over a thin line', () => {
  let cluster: Cluster;
  let url: string;
  /** Each content is another one: what the MDS has already does not travel. */
  let fill = 10;
  before(async () => {
    const listen = `127.0.0.1:${await freePort()}`;
    url = `http://${listen}`;
    cluster = await Cluster.start({
      mds: ['mds1'],
      config: `page: { listen: "${listen}" }\nmetrics: { listen: "${listen}" }\nbandwidth: 1MiB\n`,
    });
  });
  after(() => cluster.end());

  it('is in status, in the metrics and on the page: how much is to go, how fast, how long', async () => {
    cluster.main.write('sounds', 'long.wav', Buffer.alloc(8 * MIB, 1));
    await eventually('some of it is there', async () => {
      const { transfers, directories } = await cluster.statusOf('mds1');
      const sounds = directories.find(({ name }) => name === 'sounds');
      const [first] = transfers;
      if (first === undefined || first.bytes < MIB || sounds?.pendingBytes == null) return false;
      // It may travel before the MDS has reported that it is to do.
      if (sounds.pending === 0) return false;
      assert.equal(first.path, 'long.wav');
      assert.equal(first.bytesTotal, 8 * MIB);
      assert.equal(sounds.pending, 1);
      // The rest of it, to within what travelled between two looks.
      assert.ok(Math.abs(sounds.pendingBytes + first.bytes - 8 * MIB) <= MIB, JSON.stringify(sounds));
      return true;
    });
    const { stdout } = await cluster.main.run(['status']);
    assert.match(stdout, /^mds1: 1 file, [\d.]+ MiB to go, [\d.]+ [KM]iB\/s, about \d.* left$/m);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    assert.match(metrics, /^xds_directory_pending_bytes\{mds="mds1",directory="sounds"\} [1-9]/m);
    assert.match(metrics, /^xds_mds_transfer_bytes_per_second\{mds="mds1"\} [1-9]/m);
    const overview = await (await fetch(`${url}/api/overview`)).text();
    assert.match(overview, /"direction":"to-mds","path":"long\.wav"/);
    await eventually(
      'it is there',
      () => cluster.one('mds1').read('sounds', 'long.wav') !== undefined,
      60_000,
    );
    await cluster.inSync();
    const { transfers, directories } = await cluster.statusOf('mds1');
    assert.deepEqual(transfers, []);
    assert.deepEqual([...new Set(directories.map(({ pendingBytes }) => pendingBytes))], [0]);
  });

  /**
   * Does something while a file travels to the MDS, with a larger one when it was there too early: a program starts slowly
   * on a busy machine.
   */
  async function duringTransfer<T>(
    name: string,
    work: () => Promise<T>,
    wasInTime: (result: T) => boolean,
  ): Promise<T> {
    for (let size = 6; ; size *= 2) {
      cluster.main.write('sounds', `${name}-${size}.wav`, Buffer.alloc(size * MIB, ++fill));
      await eventually('it travels', async () => (await cluster.statusOf('mds1')).transfers.length > 0);
      const result = await work();
      if (wasInTime(result) || size > 40) return result;
    }
  }

  it('is shown on a terminal during a pass, and nowhere else', async () => {
    const [seen, piped] = await duringTransfer(
      'next',
      () => Promise.all([onTerminal(cluster.main, ['sync']), cluster.main.run(['sync'])]),
      ([{ text }]) => text.includes('syncing'),
    );
    assert.match(seen.text, /mds1 +syncing: 0 of 1 file, [\d.]+ MiB of [\d.]+ MiB, [\d.]+ \w+\/s, .* left/);
    assert.equal(seen.code, 0);
    // Cleared away: what stays is the answer.
    const last = seen.text.slice(seen.text.lastIndexOf('\u001b[J') + '\u001b[J'.length);
    assert.match(last, /^mds1: in sync \([^\n]*\n$/);
    assert.equal(piped.stderr, '');
    assert.match(piped.stdout, /^mds1: in sync \(/);
  });

  it('continues when Ctrl-C ends the waiting', async () => {
    const { code, text } = await duringTransfer(
      'third',
      () => onTerminal(cluster.main, ['sync'], /syncing/),
      (seen) => seen.text.includes('syncing'),
    );
    assert.equal(code, 130);
    assert.match(text, /interrupted: work that has started continues/);
    await eventually(
      'all is there',
      () =>
        readdirSync(cluster.main.at('sounds')).every((name) =>
          existsSync(cluster.one('mds1').at('sounds', name)),
        ),
      60_000,
    );
    await cluster.inSync();
  });

  it('is shown of a verification, too, on Main and on the MDS', async () => {
    // A local file, nearly all of it a hole: it takes a second to read, and no place.
    const file = cluster.one('mds1').at('moh', 'hole.wav');
    writeFileSync(file, '');
    truncateSync(file, 2_000 * MIB);
    const { code, text } = await onTerminal(cluster.main, ['verify']);
    assert.equal(code, 0, text);
    assert.match(text, /mds1 +reading: \d+ of \d+ files, .* of .*iB/);
    rmSync(file);
  });

  it('is named on its way to Main, too', async () => {
    cluster.one('mds1').write('recordings', 'up.wav', Buffer.alloc(3 * MIB, 2));
    await eventually('it is on its way', async () => {
      const { transfers } = await cluster.statusOf('mds1');
      return transfers.some(({ direction, path }) => direction === 'to-main' && path === 'up.wav');
    });
    await cluster.inSync();
  });

  it('of an adoption: one that was cut off by a crash changes nothing, says so, and can be run again', async () => {
    const { main } = cluster;
    const mds = cluster.one('mds1');
    const adopt = ['adopt', 'mds1', 'sounds/own.wav'];
    const content = Buffer.alloc(5 * MIB, 5);
    mds.write('sounds', 'own.wav', content);
    const cuts = [
      {
        host: main,
        start: () => cluster.startMain(),
        says: /the controller ended before it answered, .*repeat the command/,
      },
      { host: mds, start: () => mds.start(), says: /mds1: .*Main was not changed/ },
    ];
    for (const { host, start, says } of cuts) {
      await eventually('it is a local file', async () => (await main.run([...adopt, '-n'])).code === 0);
      const running = main.run(adopt);
      await eventually('it is on its way', async () =>
        (await cluster.statusOf('mds1')).transfers.some(({ path }) => path === 'own.wav'),
      );
      await host.kill();
      const cut = await running;
      assert.notEqual(cut.code, 0, cut.stdout);
      assert.match(cut.stderr, says);
      await start();
      await cluster.inSync();
      assert.equal(main.read('sounds', 'own.wav'), undefined);
    }
    await main.ok(adopt);
    assert.deepEqual(readFileSync(main.at('sounds', 'own.wav')), content);
    const { entries } = JSON.parse(await main.ok(['history', '--path', 'sounds/own.wav', '--json'])) as {
      entries: { kind: string }[];
    };
    assert.deepEqual(
      entries.map(({ kind }) => kind),
      ['adopt'],
    );
    assert.match(await main.ok(adopt), /nothing to adopt: sounds\/own\.wav is the same on Main and on mds1/);
  });
});
