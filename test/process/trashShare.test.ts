import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Cluster } from '../support/harness/cluster.ts';
import { eventually } from '../support/harness/host.ts';
import { HostileAgent } from '../support/harness/hostileAgent.ts';

const QUOTA = 2 * 1024 * 1024;
const CONFIG = `settle: 100ms
directories:
  - { name: dialplan }
  - { name: moh }
  - { name: sounds }
  - { name: recordings, deletions: both, settle: 100ms, maxBytes: ${QUOTA} }
`;

type Entry = { readonly type: 'file'; readonly size: number; readonly hash: string };
type Result = { readonly result: string; readonly detail?: string | undefined };

function entryOf(content: Uint8Array): Entry {
  const hash = createHash('sha256').update(content).digest('hex');
  const owner = { owner: 'root', group: 'root', uid: 0, gid: 0 };
  const more = { mtime: '1700000000000000000', mode: 0o644, ...owner };
  return { type: 'file', size: content.length, hash, ...more };
}

/** An archive of one file, as the product makes it. */
function archive(content: Uint8Array): Buffer {
  const block = Buffer.alloc(512);
  block.write('0', 0, 'latin1');
  block.write('0000644\x000000000\x000000000\x00', 100, 'latin1');
  block.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124, 'latin1');
  block.write('00000000000\0        0', 136, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  const rest = Buffer.alloc((512 - (content.length % 512)) % 512);
  return Buffer.concat([Buffer.of(0), block, content, rest, Buffer.alloc(1024)]);
}

/** What lies below a folder, bytes on disk. */
function usedBelow(folder: string): number {
  const { blocks } = lstatSync(folder);
  const inside = lstatSync(folder).isDirectory() ? readdirSync(folder) : [];
  return inside.reduce((sum, name) => sum + usedBelow(path.join(folder, name)), blocks * 512);
}

void describe("What an MDS that was taken over puts into Main's trash", () => {
  let cluster: Cluster;
  let agent: HostileAgent;
  let stream = 100;

  before(async () => {
    cluster = await Cluster.make({ enrolled: true, mds: ['mds1', 'mds2'], config: CONFIG });
    await cluster.startMain();
    cluster.one('mds2').start();
    await cluster.inSync();
    agent = await HostileAgent.connect(cluster.one('mds1'), cluster.port);
  });
  after(() => cluster.end());

  const trash = (): string => cluster.main.at('recordings', '.xivo-xds-sync/trash');

  async function offer(asked: object, content?: Uint8Array): Promise<Result> {
    const id = stream++;
    agent.say({ type: 'offer', stream: id, directory: 'recordings', offers: [asked] });
    if (content !== undefined) await agent.pour(id, archive(content));
    const [result] = await agent.results(id);
    assert.ok(result);
    return result;
  }

  const put = (file: string, content: Uint8Array, expect: Entry | null = null): Promise<Result> =>
    offer(
      { op: 'put', path: file, entry: entryOf(content), expect, conflict: false, reason: 'hostile' },
      content,
    );
  const keep = (file: string, content: Uint8Array): Promise<Result> =>
    offer({ op: 'keep', path: file, entry: entryOf(content), reason: 'hostile' }, content);

  function isRefused({ result, detail = '' }: Result): void {
    assert.equal(result, 'refused', detail);
    assert.match(detail, /what mds1 replaced and removed/);
    assert.match(detail, /trash: \{ keep \}/);
    assert.match(detail, /maxBytes/);
  }

  void it('has a limit, by whichever way it goes there', async () => {
    const versions = [Buffer.alloc(300_000, 1), Buffer.alloc(300_000, 2)] as const;
    assert.equal((await put('mine.wav', versions[0])).result, 'done');
    let last: Result = { result: 'done' };
    let live = 0;
    for (let i = 0; i < 20 && last.result === 'done'; i++) {
      const next = 1 - live;
      last = await put('mine.wav', versions[next] ?? versions[0], entryOf(versions[live] ?? versions[0]));
      if (last.result === 'done') live = next;
    }
    isRefused(last);
    isRefused(await keep('lost.wav', Buffer.alloc(300_000, 3)));
    const expect = entryOf(versions[live] ?? versions[0]);
    isRefused(await offer({ op: 'remove', path: 'mine.wav', expect, reason: 'hostile' }));
    assert.ok(usedBelow(trash()) <= QUOTA, `${usedBelow(trash())} bytes`);
    assert.ok(existsSync(cluster.main.at('recordings', 'mine.wav')));
  });

  void it('has a limit for files of one byte, too, which take more room than their size', async () => {
    let last: Result = { result: 'done' };
    let lost = 0;
    for (; lost < 1_000 && last.result === 'done'; lost++)
      last = await keep(`lost-${lost}.wav`, Buffer.of(lost % 256));
    isRefused(last);
    assert.ok(usedBelow(trash()) <= QUOTA, `${usedBelow(trash())} bytes`);
  });

  void it('still allows what displaces nothing, and leaves the other MDS its own share', async () => {
    assert.equal((await put('another.wav', Buffer.alloc(1_000, 4))).result, 'done');
    const mds = cluster.one('mds2');
    mds.write('recordings', 'honest.wav', 'a call');
    await eventually('Main has it', () => cluster.main.read('recordings', 'honest.wav') === 'a call');
    await cluster.inSync();
    mds.write('recordings', 'honest.wav', 'the call, cut short');
    await eventually(
      'Main has what replaces it',
      () => cluster.main.read('recordings', 'honest.wav') === 'the call, cut short',
    );
    await cluster.inSync();
    rmSync(mds.at('recordings', 'honest.wav'));
    await eventually('it is gone', () => !existsSync(cluster.main.at('recordings', 'honest.wav')));
  });

  void it('is remembered across a restart of Main, and is free again once the trash is empty', async () => {
    await cluster.main.stop();
    await cluster.startMain();
    agent = await HostileAgent.connect(cluster.one('mds1'), cluster.port);
    isRefused(await keep('lost.wav', Buffer.alloc(300_000, 3)));
    await cluster.main.stop();
    for (const set of readdirSync(trash())) rmSync(path.join(trash(), set), { recursive: true });
    await cluster.startMain();
    agent = await HostileAgent.connect(cluster.one('mds1'), cluster.port);
    assert.equal((await keep('lost.wav', Buffer.alloc(300_000, 3))).result, 'done');
  });
});
