import assert from 'node:assert/strict';
import { closeSync, existsSync, openSync, statSync, writeSync } from 'node:fs';
import { after, describe, it } from 'node:test';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster } from '../support/harness/cluster.ts';
import { eventually, type Host } from '../support/harness/host.ts';
import { peakMemory } from '../support/harness/resources.ts';

const MIB = 1024 * 1024;
const SIZE = 112 * MIB;
/** What a host may need more of memory, MiB: it would be more if it kept the file in memory. */
const MOST_MEMORY = 90;

function peak(host: Host): number {
  return peakMemory(host.pid ?? 0);
}

function writeLarge(file: string): void {
  const piece = randomBytes(8 * MIB);
  const fd = openSync(file, 'w');
  for (let at = 0; at < SIZE; at += piece.length) writeSync(fd, piece);
  closeSync(fd);
}

describe('A recording of 112 MiB', () => {
  let cluster: Cluster;
  after(() => cluster.end());

  it('reaches Main and the other MDS, delays no dialplan change, and needs no memory', async (t) => {
    cluster = await Cluster.make({ enrolled: true, mds: ['mds1', 'mds2'] });
    await cluster.startMain();
    for (const mds of cluster.mds) mds.start();
    await cluster.inSync();
    const [mds1, mds2] = [cluster.one('mds1'), cluster.one('mds2')];
    const hosts = [cluster.main, mds1, mds2];
    const before = hosts.map(peak);
    writeLarge(mds1.at('recordings', 'long.wav'));
    const isThere = (host: Host): boolean => existsSync(host.at('recordings', 'long.wav'));
    let changes = 0;
    const waits: number[] = [];
    while (!isThere(mds2)) {
      changes += 1;
      const content = `[default]\nexten = 1,1,NoOp(${changes})\n`;
      const startedAt = performance.now();
      cluster.main.write('dialplan', 'a.conf', content);
      await eventually(
        `change ${changes} is there`,
        () => mds2.read('dialplan', 'a.conf') === content,
        60_000,
      );
      waits.push(performance.now() - startedAt);
      await sleep(250);
    }
    waits.sort((a, b) => a - b);
    const grown = hosts.map((host, number) => peak(host) - (before[number] ?? 0));
    t.diagnostic(
      `${changes} changes meanwhile, median ${Math.round(waits[waits.length >> 1] ?? 0)} ms, at most ${Math.round(waits.at(-1) ?? 0)} ms; Main, mds1 and mds2 grew by ${grown.map(Math.round).join(', ')} MiB`,
    );
    assert.ok(changes >= 3, `only ${changes} changes came through while it was under way`);
    for (const [number, host] of hosts.entries()) {
      assert.equal(statSync(host.at('recordings', 'long.wav')).size, SIZE);
      assert.ok((grown[number] ?? 0) < MOST_MEMORY, `${host.root} grew by ${grown[number]} MiB`);
    }
    await cluster.inSync(120_000);
    assert.equal((await cluster.main.run(['verify'])).code, 0);
  });
});
