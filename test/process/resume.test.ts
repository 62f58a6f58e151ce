import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Cluster, type Mds } from '../support/harness/cluster.ts';
import { eventually, type Host } from '../support/harness/host.ts';
import { sameBytes } from '../support/unit/sameBytes.ts';

const MIB = 1024 * 1024;
/** Four times what is sent beside it: what is sent twice is seen, and no more is needed. */
const SIZE = 24 * MIB;
/** What is sent beside the content: manifests, reports, frames, and what is written to disk and log. */
const BESIDE = 6 * MIB;

/** What has come of large files whose transfer is not complete. */
function partialBytes(host: Host, directory: 'sounds' | 'recordings'): number {
  const folder = host.at(directory, '.xivo-xds-sync/partial');
  try {
    return readdirSync(folder).reduce((sum, name) => sum + statSync(path.join(folder, name)).size, 0);
  } catch {
    return 0;
  }
}

/** Bytes that a process has written so far, to sockets and to files. */
function written(host: Host): number {
  return Number(/^wchar: (\d+)$/m.exec(readFileSync(`/proc/${host.pid}/io`, 'utf8'))?.[1]);
}

function hashOf(content: Buffer | string): string {
  return createHash('sha256').update(content).digest('hex');
}

describe('A large file whose transfer is cut off', () => {
  let cluster: Cluster;
  let mds: Mds;

  before(async () => {
    // Copies of older versions are written, too, where they are kept: a large one some seconds after its change.
    cluster = await Cluster.make({ enrolled: true, mds: ['mds1'], config: 'trash: { budget: 0 }\n' });
    await cluster.startMain();
    mds = cluster.one('mds1');
    appendFileSync(path.join(mds.root, 'etc/xivo-xds-sync/agent.yml'), 'bandwidth: 8MiB\n');
    mds.start();
    await cluster.inSync();
  });
  after(() => cluster.end());

  it('resumes where it was interrupted, from an MDS to Main', async () => {
    const content = sameBytes('recording', SIZE);
    mds.write('recordings', 'long.wav', content);
    await eventually('half of it is on Main', () => partialBytes(cluster.main, 'recordings') > SIZE / 2);
    await mds.kill();
    const there = partialBytes(cluster.main, 'recordings');
    mds.start();
    await eventually(
      'all of it is on Main',
      () => existsSync(cluster.main.at('recordings', 'long.wav')),
      60_000,
    );
    assert.equal(hashOf(readFileSync(cluster.main.at('recordings', 'long.wav'))), hashOf(content));
    const sent = written(mds);
    assert.ok(sent < SIZE - there + BESIDE, `${sent} bytes were sent, and Main had ${there} of ${SIZE}`);
    await cluster.inSync();
    assert.equal(partialBytes(cluster.main, 'recordings'), 0);
  });

  it('resumes where it was interrupted, from Main to an MDS', async () => {
    const content = sameBytes('sound', SIZE);
    cluster.main.write('sounds', 'long.wav', content);
    await eventually('half of it is there', () => partialBytes(mds, 'sounds') > SIZE / 2);
    await mds.kill();
    const there = partialBytes(mds, 'sounds');
    const before = written(cluster.main);
    mds.start();
    await eventually('all of it is there', () => existsSync(mds.at('sounds', 'long.wav')), 60_000);
    assert.equal(hashOf(readFileSync(mds.at('sounds', 'long.wav'))), hashOf(content));
    const sent = written(cluster.main) - before;
    assert.ok(sent < SIZE - there + BESIDE, `${sent} bytes were sent, and the MDS had ${there} of ${SIZE}`);
    await cluster.inSync();
    assert.equal(partialBytes(mds, 'sounds'), 0);
  });

  it('is sent again when the received part is damaged', async () => {
    const content = sameBytes('damaged', SIZE);
    cluster.main.write('sounds', 'other.wav', content);
    await eventually('half of it is there', () => partialBytes(mds, 'sounds') > SIZE / 2);
    await mds.kill();
    const folder = mds.at('sounds', '.xivo-xds-sync/partial');
    const [name = ''] = readdirSync(folder);
    writeFileSync(path.join(folder, name), Buffer.alloc(SIZE / 4, 7));
    mds.start();
    await eventually('all of it is there', () => existsSync(mds.at('sounds', 'other.wav')), 60_000);
    assert.equal(hashOf(readFileSync(mds.at('sounds', 'other.wav'))), hashOf(content));
    await cluster.inSync(60_000);
  });
});

describe('A large file that changed a little on Main', () => {
  let cluster: Cluster;
  let mds: Mds;
  after(() => cluster.end());

  it('is sent as what differs from what the MDS has', async () => {
    // Copies of older versions are written, too, where they are kept.
    cluster = await Cluster.make({ enrolled: true, mds: ['mds1'], config: 'trash: { budget: 0 }\n' });
    mds = cluster.one('mds1');
    const content = sameBytes('music', SIZE);
    cluster.main.write('sounds', 'music.wav', content);
    await cluster.startMain();
    mds.start();
    await cluster.inSync(60_000);
    const changed = Buffer.concat([content, sameBytes('appended', MIB)]);
    sameBytes('inside', 300_000).copy(changed, 10 * MIB);
    const before = written(cluster.main);
    cluster.main.write('sounds', 'music.wav', changed);
    await eventually(
      'it is there',
      () => statSync(mds.at('sounds', 'music.wav')).size === changed.length,
      60_000,
    );
    // Writing the file itself was this test's doing, not Main's.
    assert.ok(written(cluster.main) - before < BESIDE);
    assert.equal(hashOf(readFileSync(mds.at('sounds', 'music.wav'))), hashOf(changed));
    cluster.main.write('sounds', 'music.wav', changed.subarray(0, SIZE / 2));
    await eventually('it is short', () => statSync(mds.at('sounds', 'music.wav')).size === SIZE / 2, 60_000);
    assert.ok(written(cluster.main) - before < 2 * BESIDE);
    assert.equal(hashOf(readFileSync(mds.at('sounds', 'music.wav'))), hashOf(changed.subarray(0, SIZE / 2)));
    await cluster.inSync();
    assert.equal((await cluster.main.run(['verify'])).code, 0);
  });
});
